/* covey.h declares the functions of this module. */
#ifndef COVEY_DEFAULTS_H
#define COVEY_DEFAULTS_H
#endif
