/* Building lines of text without a libc: everything is clipped to the buffer, which always ends in NUL. */
#ifndef FRORE_TEXT_H
#define FRORE_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
	char *start;
	size_t length, size;
};

struct text text_in(char *buffer, size_t size);
void text_str(struct text *t, const char *s);
void text_line(struct text *t, const char *s); /* control characters become '?', so that it stays one line */
void text_dec(struct text *t, int64_t value);
void text_hex(struct text *t, uint64_t value);
void text_errno(struct text *t, long err); /* "No such file or directory (ENOENT)" */
void text_signal(struct text *t, int signo); /* "SIGTERM" */
void text_char(struct text *t, char c);

size_t text_length(const char *s);
int text_equal(const char *a, const char *b);
int text_starts(const char *s, const char *prefix);
/* Decimal digits at s; -1 when there is none. */
int64_t text_number(const char *s, const char **end);

/* memcpy and friends, which gcc also calls by itself. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
