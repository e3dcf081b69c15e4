/* memcpy MIB THREADS: prints the microseconds that so many threads take to copy so much memory to memory that is there already. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "common.h"
#include "crew.h"

#define PIECE (1UL << 20)

static char *from, *to;

static void copy(uint64_t piece, void *own)
{
	(void)own;
	memcpy(to + piece * PIECE, from + piece * PIECE, PIECE);
}

static char *take(size_t length)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	memset(memory, 1, length);
	return memory;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 0;
	uint64_t pieces;
	int64_t start;

	if (threads < 1 || threads > MOST_THREADS)
		return 2;
	pieces = strtoul(argv[1], NULL, 10);
	from = take(pieces * PIECE);
	to = take(pieces * PIECE);
	start = now();
	crew_run(threads, pieces, copy, NULL);
	print_since(start);
	return 0;
}
