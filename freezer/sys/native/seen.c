/*
 * Pages that are stored already. A page is looked for by some of its words, and compared with the one that was found, byte by byte, in
 * the stopped process itself. Threads share a table without a lock: a slot is set once and for all.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../resumer-stub/codec/codec.h"
#include "copy.h"
#include "native.h"

#define NUMBER_BITS 36 /* of an address in pages; the rest of a slot is a part of the key */
#define NUMBER(slot) ((slot) & ((1ULL << NUMBER_BITS) - 1))
#define TAG(slot) ((slot) >> NUMBER_BITS)
#define PROBES 8
#define MOST_SLOTS (1ULL << 23) /* 64 MiB, half full with 16 GiB of pages */
#define MIX 0x9e3779b97f4a7c15ULL

struct seen {
	uint64_t serial; /* unlike that of any other table, ever */
	int mem;	 /* /proc/PID/mem */
	uint64_t mask;
	_Atomic uint64_t looked, wrong; /* how often some words were equal, and how often the rest was not */
	_Atomic uint64_t *slots;
};

/* NULL when there is no memory. */
EXPORT struct seen *frore_native_seen_start(uint64_t pages, int mem)
{
	static _Atomic uint64_t tables;
	struct seen *seen = calloc(1, sizeof(*seen));
	uint64_t slots = 1024;
	void *at;

	while (slots < pages * 2 && slots < MOST_SLOTS)
		slots *= 2;
	at = seen ? mmap(NULL, slots * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) : MAP_FAILED;
	if (at == MAP_FAILED) {
		free(seen);
		return NULL;
	}
	madvise(at, slots * 8, MADV_HUGEPAGE);
	seen->serial = ++tables;
	seen->mem = mem;
	seen->mask = slots - 1;
	seen->slots = at;
	return seen;
}

EXPORT void frore_native_seen_end(struct seen *seen)
{
	munmap((void *)seen->slots, (seen->mask + 1) * 8);
	free(seen);
}

/* One word of each cache line. Pages of little else than zeros may have all of them in common: then every byte is taken. */
uint64_t seen_key(struct seen *seen, const uint8_t *page)
{
	const uint64_t *word = (const uint64_t *)page;
	uint64_t lane[4] = {1, 2, 3, 4}, key;
	unsigned int i;

	if (seen->wrong > 256 + seen->looked / 2)
		return frore_hash_of(page, COPY_PAGE) | 1;
	for (i = 0; i < 64; i += 4) {
		lane[0] = (lane[0] ^ word[i * 8 + (i & 7)]) * MIX;
		lane[1] = (lane[1] ^ word[i * 8 + 8 + ((i + 1) & 7)]) * MIX;
		lane[2] = (lane[2] ^ word[i * 8 + 16 + ((i + 2) & 7)]) * MIX;
		lane[3] = (lane[3] ^ word[i * 8 + 24 + ((i + 3) & 7)]) * MIX;
		lane[0] ^= lane[0] >> 32;
		lane[1] ^= lane[1] >> 32;
		lane[2] ^= lane[2] >> 32;
		lane[3] ^= lane[3] >> 32;
	}
	key = ((lane[0] * 3 ^ lane[1]) * MIX + lane[2] * 5) ^ lane[3] * 7;
	key = (key ^ key >> 29) * MIX | 1;
	__builtin_prefetch((const void *)&seen->slots[key >> 28 & seen->mask]);
	return key;
}

static int is_equal(struct seen *seen, uint64_t number, const uint8_t *page)
{
	static _Thread_local uint8_t other[COPY_PAGE];
	static _Thread_local uint64_t kept, of; /* what is in it, of which table */

	if (kept != number || of != seen->serial) {
		of = 0;
		if (pread(seen->mem, other, COPY_PAGE, (off_t)(number * COPY_PAGE)) != COPY_PAGE)
			return 0;
		kept = number;
		of = seen->serial;
	}
	return memcmp(other, page, COPY_PAGE) == 0;
}

/*
 * The address of a page with the same bytes that is stored, or 0: then the caller is to store this one. `key` is that of the page, which
 * is not all zeros.
 */
uint64_t seen_before(struct seen *seen, uint64_t key, const uint8_t *page, uint64_t address)
{
	uint64_t number = address / COPY_PAGE, own = key << NUMBER_BITS | number, at = key >> 28, i;

	for (i = 0; i < PROBES; i++, at++) {
		uint64_t slot = 0;

		if (atomic_compare_exchange_strong(&seen->slots[at & seen->mask], &slot, own))
			return 0;
		if (TAG(slot) != TAG(own))
			continue;
		seen->looked++;
		if (is_equal(seen, NUMBER(slot), page))
			return NUMBER(slot) * COPY_PAGE;
		seen->wrong++;
		return 0;
	}
	return 0;
}
