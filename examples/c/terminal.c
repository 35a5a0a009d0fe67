#define _POSIX_C_SOURCE 200809L
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *style(const char *code) { return isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL ? code : ""; }

static char *next_buffer(void) {
    static char buffers[8][64];
    static int next;
    next = (next + 1) % 8;
    return buffers[next];
}

double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* How many places UTF-8 takes: every byte but those that continue a character. */
static int places(const char *text, size_t bytes) {
    int count = 0;
    size_t i;
    for (i = 0; i < bytes; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

void print_heading(const char *title) {
    int i, rest = TERMINAL_WIDTH - 4 - places(title, strlen(title));
    printf("\n%s── %s ", style("\033[1m"), title);
    for (i = 0; i < rest; i++) printf("─");
    printf("%s\n\n", style("\033[0m"));
}

void print_bold(const char *text) { printf("%s%s%s\n", style("\033[1m"), text, style("\033[0m")); }

void print_dim(const char *text) { printf("%s%s%s\n", style("\033[2m"), text, style("\033[0m")); }

void print_wrapped(const char *lead, const char *text) {
    int indent = places(lead, strlen(lead)), column = indent;
    printf("%s", lead);
    while (*text != '\0') {
        size_t bytes = strcspn(text, " \n");
        int width = places(text, bytes);
        if (column > indent && column + 1 + width > TERMINAL_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            printf(" ");
            column++;
        }
        printf("%.*s", (int)bytes, text);
        column += width;
        text += bytes + strspn(text + bytes, " \n");
    }
    printf("\n");
}

void print_bar(double share, int width) {
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int full = (int)(share * width * 8 + 0.5), i;
    printf("%s", style("\033[36m"));
    for (i = 0; i < full / 8; i++) printf("█");
    printf("%s%s", eighths[full % 8], style("\033[0m"));
}

const char *with_commas(int64_t number) {
    char digits[32], *text = next_buffer(), *at = text;
    int i, length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    for (i = 0; i < length; i++) {
        *at++ = digits[i];
        if (digits[i] != '-' && i + 1 < length && (length - i - 1) % 3 == 0) *at++ = ',';
    }
    *at = '\0';
    return text;
}

static const char *formatted(double seconds, const char *format) {
    char *text = next_buffer();
    time_t time = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&time, &parts) == NULL || strftime(text, 64, format, &parts) == 0) text[0] = '\0';
    return text;
}

const char *as_date(double seconds) { return formatted(seconds, "%d %b %Y"); }

const char *as_day(double seconds) { return formatted(seconds, "%d %b"); }

const char *as_date_and_time(double seconds) { return formatted(seconds, "%d %b %H:%M"); }
