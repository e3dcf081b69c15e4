/*
 * copy PID MIB FILE THREADS: copies the one mapping of PID that is at least so large to FILE, as bare as it can be done: each thread reads
 * a MiB and writes it. Prints the microseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>
#include "common.h"
#include "crew.h"

#define PIECE (1UL << 20)

static int pid, out;
static uint64_t base;

static void copy(uint64_t piece, void *buffer)
{
	struct iovec local = {buffer, PIECE}, remote = {(void *)(base + piece * PIECE), PIECE};

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != PIECE || pwrite(out, buffer, PIECE, (off_t)(piece * PIECE)) != PIECE)
		exit(1);
}

int main(int argc, char **argv)
{
	int threads = argc > 4 ? atoi(argv[4]) : 0;
	void *buffers[MOST_THREADS];
	uint64_t pieces;
	int64_t start;

	if (threads < 1 || threads > MOST_THREADS)
		return 2;
	pid = atoi(argv[1]);
	pieces = strtoul(argv[2], NULL, 10);
	out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	base = find_mapping(pid, pieces * PIECE);
	if (base == 0 || out < 0)
		return 1;
	start = now();
	for (int i = 0; i < threads; i++)
		buffers[i] = aligned_alloc(4096, PIECE);
	crew_run(threads, pieces, copy, buffers);
	print_since(start);
	unlink(argv[3]);
	return 0;
}
