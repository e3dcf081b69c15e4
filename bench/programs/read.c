/* read FILE [huge]: prints the microseconds that one thread takes to read the whole file into fresh memory. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	int64_t start = now();
	char *memory;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 1;
	memory = mmap(NULL, (size_t)st.st_size, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	if (argc > 2)
		madvise(memory, (size_t)st.st_size, MADV_HUGEPAGE);
	for (off_t done = 0; done < st.st_size;) {
		ssize_t got = read(fd, memory + done, (size_t)(st.st_size - done));

		if (got <= 0)
			return 1;
		done += got;
	}
	printf("%.1f\n", (double)(now() - start) / 1000);
	return 0;
}
