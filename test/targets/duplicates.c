/*
 * Memory with many pages that equal others of it: in the same order, in another one, one again and again, in between pages that differ
 * from them in a single word, behind a protection that forbids to read them, and in a mapping of a file.
 *
 *   duplicates MIB
 */
#include "judge.h"
#include <sys/mman.h>

#define PAGE 4096UL
#define WORDS (PAGE / 8)
#define BLOCK 64UL

static uint64_t number(uint64_t page, uint64_t word)
{
	uint64_t x = page * 0x9e3779b97f4a7c15ull + word + 1;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ull;
}

static uint64_t value(uint64_t page, uint64_t word)
{
	uint64_t within = page % BLOCK, first = page - within;

	switch (page / BLOCK % 8) {
	case 2: /* the block two before */
		return number(page - 2 * BLOCK, word);
	case 3:
		return number(7, word);
	case 4: /* little but one word, which is another one in each page */
		return word == 2 ? page : word == 0;
	case 5: /* the block five before, from its end */
		return number(first - 5 * BLOCK + (BLOCK - 1 - within), word);
	case 6: /* one, the next one, the first one again, and one of its own */
		return within % 4 < 3 ? number(first - 6 * BLOCK + within % 2, word) : number(page, word);
	case 7:
		return within % 2 ? 0 : number(page - 6 * BLOCK, word);
	}
	return number(page, word);
}

static void fill(uint64_t *memory, uint64_t pages)
{
	for (uint64_t i = 0; i < pages * WORDS; i++)
		memory[i] = value(i / WORDS, i % WORDS);
}

static void check(const uint64_t *memory, uint64_t pages, const char *what)
{
	for (uint64_t i = 0; i < pages * WORDS; i++)
		if (memory[i] != value(i / WORDS, i % WORDS)) {
			FAIL("%s: page %lu differs at word %lu", what, i / WORDS, i % WORDS);
			i |= WORDS - 1;
		}
}

int main(int argc, char **argv)
{
	uint64_t pages = (argc > 1 ? strtoul(argv[1], 0, 10) : 32) << 8, of_file = 4 * BLOCK;
	uint64_t *memory = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *mapped;
	int fd = open("duplicates.bin", O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned long beat = 0;

	judge_subject = "duplicates";
	if (memory == MAP_FAILED || fd < 0 || ftruncate(fd, (off_t)(of_file * PAGE)) < 0)
		return 2;
	mapped = mmap(0, of_file * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (mapped == MAP_FAILED)
		return 2;
	close(fd);
	fill(memory, pages);
	fill(mapped, of_file);
	mprotect(memory + 2 * BLOCK * WORDS, 3 * PAGE, PROT_NONE);
	mprotect(memory, 2 * PAGE, PROT_NONE);
	ready();
	while (!judge_told) {
		say("%lu", ++beat);
		sleep_ms(20);
	}
	mprotect(memory, pages * PAGE, PROT_READ);
	check(memory, pages, "memory");
	check(mapped, of_file, "the mapping of a file");
	return verdict("duplicates");
}
