// The header as C++ reads it: the same program as header_c99.c.
#include "header_c99.c"
