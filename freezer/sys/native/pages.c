/* Looking through copied pages. */
#include <stdint.h>
#include <string.h>

#include "native.h"

#define PAGE_WORDS (4096 / sizeof(uint64_t))

static int is_zero(const uint64_t *page)
{
	uint64_t any = 0;
	unsigned int i, j;

	/* 256 bytes at a time: most pages differ early, and the inner loop becomes vector code. */
	for (i = 0; i < PAGE_WORDS; i += 32) {
		for (j = 0; j < 32; j++)
			any |= page[i + j];
		if (any)
			return 0;
	}
	return 1;
}

/* Sets bit n of `bitmap` (one byte per 8 pages, zeroed here) for every page n that is all zeros; returns their number. */
EXPORT int64_t frore_native_scan_zero(const uint64_t *pages, uint64_t count, uint8_t *bitmap)
{
	int64_t found = 0;
	uint64_t n;

	for (n = 0; n < (count + 7) / 8; n++)
		bitmap[n] = 0;
	for (n = 0; n < count; n++) {
		if (!is_zero(pages + n * PAGE_WORDS))
			continue;
		bitmap[n / 8] |= (uint8_t)(1 << n % 8);
		found++;
	}
	return found;
}

/* The same for pages that equal their counterpart in `other` and are not all zeros. */
EXPORT int64_t frore_native_same_pages(const uint64_t *pages, const uint64_t *other, uint64_t count, uint8_t *bitmap)
{
	int64_t found = 0;
	uint64_t n;

	for (n = 0; n < (count + 7) / 8; n++)
		bitmap[n] = 0;
	for (n = 0; n < count; n++) {
		if (memcmp(pages + n * PAGE_WORDS, other + n * PAGE_WORDS, 4096) != 0 || is_zero(pages + n * PAGE_WORDS))
			continue;
		bitmap[n / 8] |= (uint8_t)(1 << n % 8);
		found++;
	}
	return found;
}
