/* Which pages there are, and what is in them. */
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

/* One mapping whose pages are looked for, and what is found: ranges in the order of the areas, each within one. */
struct area {
	uint64_t start, end;
	uint64_t own; /* only pages that are no longer those of the mapped file */
};

struct range {
	uint64_t start, end, area;
};

struct found {
	struct range *ranges;
	uint64_t count, room;
};

/* -1 when there is no room. */
static int add_range(struct found *f, uint64_t start, uint64_t end, uint64_t area)
{
	struct range *last = f->count ? &f->ranges[f->count - 1] : NULL;

	if (last && last->area == area && last->end == start) {
		last->end = end;
		return 0;
	}
	if (f->count == f->room)
		return -1;
	f->ranges[f->count++] = (struct range){start, end, area};
	return 0;
}

#define PAGEMAP_SCAN_IOCTL 0xc0606610UL
#define IS_FILE 4
#define IS_PRESENT 8
#define IS_SWAPPED 16
#define IS_PFNZERO 32
#define VECTOR 512 /* with more, walk_end is wrong on 6.18: regions would be reported twice */

/* 0, -1 when there is no room, 1 when this kernel cannot do it (before 6.7). */
static int scan_area(int pagemap, const struct area *a, uint64_t index, struct found *f)
{
	static uint64_t vector[VECTOR * 3];
	uint64_t at = a->start, without = a->own ? IS_FILE : IS_PFNZERO;
	long count = VECTOR, i;

	while (at < a->end && count == VECTOR) {
		uint64_t argument[12] = {sizeof(argument), 0, at, a->end, 0, (uint64_t)vector, VECTOR, 0, without, without,
					 IS_PRESENT | IS_SWAPPED, IS_PRESENT};

		count = ioctl(pagemap, PAGEMAP_SCAN_IOCTL, argument);
		if (count < 0)
			return 1;
		for (i = 0; i < count; i++) {
			uint64_t from = vector[i * 3], to = vector[i * 3 + 1];

			if (to <= at)
				continue;
			if (add_range(f, from > at ? from : at, to, index) < 0)
				return -1;
			at = to;
		}
	}
	return 0;
}

/* The same from /proc/PID/pagemap itself. */
static int read_area(int pagemap, const struct area *a, uint64_t index, struct found *f)
{
	static uint64_t entries[16384];
	uint64_t at = a->start;

	while (at < a->end) {
		uint64_t left = (a->end - at) / 4096 * 8;
		ssize_t got = pread(pagemap, entries, left < sizeof(entries) ? left : sizeof(entries), (off_t)(at / 4096 * 8));

		if (got <= 0)
			return 0;
		for (ssize_t i = 0; i < got / 8; i++) {
			uint64_t from = at + (uint64_t)i * 4096;
			int there = entries[i] >> 62 != 0, of_file = entries[i] >> 61 & 1;

			if (there && !(a->own && of_file) && add_range(f, from, from + 4096, index) < 0)
				return -1;
		}
		at += (uint64_t)got / 8 * 4096;
	}
	return 0;
}

/* Which pages of the areas hold something; the number of ranges, or -1 when there is no room for them. */
EXPORT int64_t frore_native_ranges(int pagemap, const struct area *areas, uint64_t count, struct range *ranges, uint64_t room)
{
	struct found f = {ranges, 0, room};
	int can_scan = 1;

	for (uint64_t i = 0; i < count; i++) {
		int ret = can_scan ? scan_area(pagemap, &areas[i], i, &f) : 1;

		if (ret == 1) {
			can_scan = 0;
			while (f.count && ranges[f.count - 1].area == i)
				f.count--;
			ret = read_area(pagemap, &areas[i], i, &f);
		}
		if (ret < 0)
			return -1;
	}
	return (int64_t)f.count;
}

#define IS_MAPPED (3ULL << 62) /* present or swapped */
#define IS_OF_FILE (1ULL << 61)
#define IS_EXCLUSIVE (1ULL << 56)

/*
 * The words that pagemap has for the pages of all ranges, one behind the other; 0 where there is none. Mark 1 for a page that
 * somebody else may have, too: bit 56 (mapped exclusively, Linux 4.2) is clear, or it is still that of a file.
 */
EXPORT void frore_native_words(int pagemap, const struct range *ranges, uint64_t count, uint64_t *words, uint8_t *marks)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t pages = (ranges[i].end - ranges[i].start) / 4096, done = 0;

		memset(words, 0, pages * 8);
		while (done < pages * 8) {
			ssize_t got = pread(pagemap, (uint8_t *)words + done, pages * 8 - done,
					    (off_t)(ranges[i].start / 4096 * 8 + done));

			if (got <= 0)
				break;
			done += (uint64_t)got;
		}
		for (uint64_t page = 0; page < pages; page++)
			marks[page] = !(words[page] & IS_MAPPED) || !(words[page] & IS_EXCLUSIVE) || words[page] & IS_OF_FILE;
		words += pages;
		marks += pages;
	}
}
