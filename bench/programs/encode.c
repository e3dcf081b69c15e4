/*
 * encode PID MIB LEVEL THREADS: takes the one mapping of PID that is at least so large into its own memory, and prints the microseconds that
 * so many threads of the codec library take to compress it, a MiB at a time, each with a context of its own.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/uio.h>
#include <zstd.h>
#include "common.h"
#include "crew.h"

#define PIECE (1UL << 20)

struct worker {
	ZSTD_CCtx *context;
	char *out;
};

static char *memory;
static int level;

static void compress(uint64_t piece, void *own)
{
	struct worker *worker = own;

	if (ZSTD_isError(ZSTD_compressCCtx(worker->context, worker->out, ZSTD_compressBound(PIECE), memory + piece * PIECE, PIECE, level)))
		exit(1);
}

static int fetch(int pid, uint64_t length)
{
	uint64_t base = find_mapping(pid, length);

	memory = aligned_alloc(PIECE, length);
	if (!base || !memory)
		return -1;
	for (uint64_t at = 0; at < length; at += PIECE) {
		struct iovec local = {memory + at, PIECE}, remote = {(void *)(base + at), PIECE};

		if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != PIECE)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int threads = argc > 4 ? atoi(argv[4]) : 0;
	struct worker workers[MOST_THREADS];
	void *own[MOST_THREADS];
	uint64_t pieces;
	int64_t start;

	if (threads < 1 || threads > MOST_THREADS)
		return 2;
	pieces = strtoul(argv[2], NULL, 10);
	level = atoi(argv[3]);
	if (fetch(atoi(argv[1]), pieces * PIECE) < 0)
		return 1;
	for (int i = 0; i < threads; i++) {
		workers[i] = (struct worker){ZSTD_createCCtx(), malloc(ZSTD_compressBound(PIECE))};
		own[i] = &workers[i];
	}
	start = now();
	crew_run(threads, pieces, compress, own);
	print_since(start);
	return 0;
}
