/* What the programs of the benchmark have in common. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline int64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* A figure as the benchmark reads it: microseconds, on a line. */
static inline void print_since(int64_t start)
{
	printf("%.1f\n", (double)(now() - start) / 1000);
}

/* Start of the last mapping of a process that is at least so long; 0 if there is none. */
static inline uint64_t find_mapping(int pid, uint64_t length)
{
	unsigned long start, end;
	char path[32], line[4096];
	uint64_t found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && end - start >= length)
			found = start;
	if (maps)
		fclose(maps);
	return found;
}
