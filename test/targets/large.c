/*
 * More memory than the freezer keeps to itself while the program stands still: pages with content, pages of zeros that were written,
 * pages never touched, one after the other in several rhythms, with a page in the middle that may not be read.
 *
 *   large MIB
 */
#include "judge.h"
#include <sys/mman.h>

#define PAGE 4096UL

static uint64_t value(uint64_t page, uint64_t word)
{
	uint64_t x = page * 0x9e3779b97f4a7c15ull + word + 1;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ull;
}

/* 0 untouched, 1 zeros that were written, 2 content */
static int kind(uint64_t page)
{
	uint64_t rhythm = 1 + page / 4096 % 5;

	return (int)(page / rhythm % 3);
}

int main(int argc, char **argv)
{
	uint64_t pages = (argc > 1 ? strtoul(argv[1], 0, 10) : 192) << 8, page, word, closed = pages / 2 + 1;
	uint64_t *memory = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long beat = 0;

	judge_subject = "large";
	if (memory == MAP_FAILED)
		return 2;
	for (page = 0; page < pages; page++) {
		if (kind(page) == 1)
			*(volatile uint64_t *)&memory[page * PAGE / 8] = 0;
		for (word = 0; kind(page) == 2 && word < PAGE / 8; word++)
			memory[page * PAGE / 8 + word] = value(page, word);
	}
	mprotect(&memory[closed * PAGE / 8], PAGE, PROT_NONE);
	ready();
	while (!judge_told) {
		say("%lu", ++beat);
		sleep_ms(20);
	}
	mprotect(&memory[closed * PAGE / 8], PAGE, PROT_READ);
	for (page = 0; page < pages; page++)
		for (word = 0; word < PAGE / 8; word++)
			if (memory[page * PAGE / 8 + word] != (kind(page) == 2 ? value(page, word) : 0)) {
				FAIL("page %lu of kind %d differs at word %lu", page, kind(page), word);
				break;
			}
	return verdict("large");
}
