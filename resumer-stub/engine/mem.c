/* The four functions that gcc and clang call by themselves. `rep movsb` is the fastest copy of the processors we run on, bar short ones. */
#include <stddef.h>
#include <stdint.h>

#define SHORT 32

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

static void copy_up(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n < SHORT) {
		for (; n >= 8; n -= 8, to += 8, from += 8) {
			uint64_t word;

			__builtin_memcpy(&word, from, 8);
			__builtin_memcpy(to, &word, 8);
		}
		while (n--) {
			*to++ = *from++;
			__asm__ volatile("" ::: "memory"); /* or gcc makes it a call to memcpy */
		}
		return;
	}
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	copy_up(to, from, n);
	return to;
}

void *memset(void *to, int c, size_t n)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(c) : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if ((uintptr_t)to - (uintptr_t)from >= n) {
		copy_up(to, from, n);
		return to;
	}
	for (; n >= 8; n -= 8) {
		uint64_t word;

		__builtin_memcpy(&word, f + n - 8, 8);
		__builtin_memcpy(t + n - 8, &word, 8);
	}
	while (n--) {
		t[n] = f[n];
		__asm__ volatile("" ::: "memory");
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}
