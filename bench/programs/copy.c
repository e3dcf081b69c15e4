/*
 * copy PID MIB FILE THREADS: copies the one mapping of PID that is at least so large to FILE, as bare as it can be done: each thread reads
 * a MiB and writes it. Prints the microseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PIECE (1UL << 20)
#define MOST 8

static int pid, out;
static uint64_t base, length, next;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *copy(void *buffer)
{
	uint64_t at;

	while ((at = __atomic_fetch_add(&next, PIECE, __ATOMIC_SEQ_CST)) < length) {
		struct iovec local = {buffer, PIECE}, remote = {(void *)(base + at), PIECE};

		if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != PIECE || pwrite(out, buffer, PIECE, (off_t)at) != PIECE)
			exit(1);
	}
	return NULL;
}

static int find(void)
{
	unsigned long start, end;
	char path[32], line[4096];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && end - start >= length)
			base = start;
	return base != 0;
}

int main(int argc, char **argv)
{
	pthread_t threads[MOST];
	int count = argc > 4 ? atoi(argv[4]) : 0;
	int64_t start;

	if (count < 1 || count > MOST)
		return 2;
	pid = atoi(argv[1]);
	length = strtoul(argv[2], NULL, 10) << 20;
	out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (!find() || out < 0)
		return 1;
	start = now();
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, copy, aligned_alloc(4096, PIECE));
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%.1f\n", (double)(now() - start) / 1000);
	unlink(argv[3]);
	return 0;
}
