/* The range of the limits of codes.h. */
#ifndef CK_CODE_LIMITS_H
#define CK_CODE_LIMITS_H

#include "codes.h"
#include "pairs.h"

#define GROUP CK_PANEL_GROUP
/* Limits in this range add up without overflow, and products of codes are smaller than 2^27. */
#define LEAST (-0x1p27)
#define MOST 0x1p28
#define ALWAYS (-(1 << 30) + (1 << 26))
#define NEVER CK_CODES_NEVER
/* The limit of a row that is not there. No base makes a pair of it. */
#define ABSENT ((1 << 30) + (1 << 28))

#endif
