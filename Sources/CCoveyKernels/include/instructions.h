/* Which instructions the process computes with. This is decided once, before the first computation. */
#ifndef CK_INSTRUCTIONS_H
#define CK_INSTRUCTIONS_H

#define CK_INSTRUCTIONS_MISSING (-1)
#define CK_INSTRUCTIONS_LATE (-2)

/* Limits the process to `set` (CK_AVX2, CK_AVX512 or CK_AMX, see encoder.h), in OpenBLAS too. Returns 0,
 * CK_INSTRUCTIONS_MISSING if the processor lacks the set, or CK_INSTRUCTIONS_LATE if another one was decided on. */
int ck_instructions_limit(int set);

/* Decides on all that the processor has, unless it is decided. Every computation begins with this call. */
void ck_instructions_begin(void);

/* The largest set that may be used, whether or not the processor has it. */
int ck_instructions_most(void);

#endif
