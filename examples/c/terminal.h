/* What the demo prints with: 100 columns, bold and colour where a terminal reads along. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdint.h>

#define TERMINAL_WIDTH 100

/* Seconds on a clock that never goes back. */
double seconds_now(void);

/* Starts a section: a line with its title. */
void print_heading(const char *title);

/* A line of text in bold, or dim. */
void print_bold(const char *text);
void print_dim(const char *text);

/* Text, broken at blanks: `lead` before the first line, as many blanks before the others. */
void print_wrapped(const char *lead, const char *text);

/* `share` of `width` places, as a bar. */
void print_bar(double share, int width);

/* "1,234,567". The text lives until the eighth call from now. */
const char *with_commas(int64_t number);

/* "14 Mar 2026", "14 Mar" or "14 Mar 09:12"; seconds of Unix time, UTC. The text lives as long as that of
   with_commas. */
const char *as_date(double seconds);
const char *as_day(double seconds);
const char *as_date_and_time(double seconds);

#endif
