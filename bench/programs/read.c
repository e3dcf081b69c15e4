/*
 * read FILE THREADS [huge]: prints the microseconds that so many threads take to read the whole file into fresh memory: the least that a
 * resume of so many bytes can take.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common.h"
#include "crew.h"

#define HUGE_PAGE (2UL << 20)

static int fd;
static char *memory;
static uint64_t length;

static void take(uint64_t piece, void *own)
{
	uint64_t at = piece * HUGE_PAGE;
	size_t size = length - at < HUGE_PAGE ? length - at : HUGE_PAGE;

	(void)own;
	if (pread(fd, memory + at, size, (off_t)at) != (ssize_t)size)
		exit(1);
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 0;
	struct stat st;
	int64_t start;

	fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	if (threads < 1 || threads > MOST_THREADS || fd < 0 || fstat(fd, &st) < 0)
		return 2;
	length = (uint64_t)st.st_size;
	start = now();
	memory = mmap(NULL, length + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	memory = (char *)(((uintptr_t)memory + HUGE_PAGE - 1) & -HUGE_PAGE);
	if (argc > 3)
		madvise(memory, length, MADV_HUGEPAGE);
	crew_run(threads, (length + HUGE_PAGE - 1) / HUGE_PAGE, take, NULL);
	print_since(start);
	return 0;
}
