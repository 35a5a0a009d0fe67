/* Rows in groups of 64, for the search that places one new row. */
#ifndef CK_GROUPS_H
#define CK_GROUPS_H

#include <stdint.h>

enum { CK_GROUP = 64 };

/* A group holds d columns of 64 numbers, one number of each row. `query` is the new row times -2.
 * Both add the product of a row with the query to the row's bias. */

/* The rows whose sum is at most the threshold: bit i for row i. */
uint64_t ck_group_near(const float *group, int64_t d, const float *query, const float *bias, float threshold);

/* gaps[i] = sqrt(max(0, sum + query_bias)) * shrink - radius[i]. */
void ck_group_gaps(const float *group, int64_t d, const float *query, const float *bias, float query_bias, float shrink,
                   const float *radius, float *gaps);

#endif
