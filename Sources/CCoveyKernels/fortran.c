#include <stddef.h>
#include <string.h>

/* The only function of the Fortran run-time library that OpenBLAS's LAPACK needs here. libgfortran.a cannot be linked
 * into a shared library (it is not position independent), and libgfortran.so.5 would be one more dependency to install.
 */
__attribute__((visibility("hidden"))) void _gfortran_concat_string(size_t target_length, char *target,
                                                                   size_t first_length, const char *first,
                                                                   size_t second_length, const char *second) {
    if (first_length > target_length) first_length = target_length;
    memcpy(target, first, first_length);
    if (second_length > target_length - first_length) second_length = target_length - first_length;
    memcpy(target + first_length, second, second_length);
    memset(target + first_length + second_length, ' ', target_length - first_length - second_length);
}
