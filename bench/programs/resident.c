/*
 * resident MIB [SECONDS]: fills MIB of memory with what does not compress, says "ready", and computes. When the time of day has jumped by more
 * than SECONDS (1), as it has after a freeze, it writes one byte and ends: that is the first thing it does in its new life.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	size_t length = (size_t)(argc > 1 ? atol(argv[1]) : 0) << 20;
	uint64_t *memory = length ? mmap(NULL, length, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
	uint64_t x = 88172645463325252ULL;
	int64_t jump = (argc > 2 ? atol(argv[2]) : 1) * 1000000000LL, last, at;

	if (length && memory == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < length / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memory[i] = x;
	}
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (last = now();; last = at) {
		at = now();
		if (at - last > jump)
			return write(1, "x", 1) != 1;
	}
}
