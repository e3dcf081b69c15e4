/*
 * decode FILE LIST THREADS [fresh]: decodes frames of FILE, which is in memory, on so many threads, and prints the microseconds. LIST has a line
 * for each: its offset, its length, and the length of what is in it; bytes. Each goes into the same buffer over and over, or, with
 * `fresh`, to its own place in huge pages that nobody has touched before.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zstd.h>
#include "common.h"
#include "crew.h"

#define HUGE_PAGE (2UL << 20)
#define MOST_FRAMES (1UL << 20)

struct frame {
	uint64_t offset, length, plain, to;
};

struct worker {
	ZSTD_DCtx *context;
	char *out;
};

static struct frame *frames;
static const char *file;
static char *memory;

static void decode(uint64_t piece, void *own)
{
	const struct frame *frame = &frames[piece];
	struct worker *worker = own;
	char *to = memory ? memory + frame->to : worker->out;

	if (ZSTD_decompressDCtx(worker->context, to, frame->plain, file + frame->offset, frame->length) != frame->plain)
		exit(1);
}

/* How many frames; the largest and the sum of their plain lengths. */
static uint64_t read_list(const char *path, uint64_t *largest, uint64_t *sum)
{
	FILE *list = fopen(path, "r");
	uint64_t count = 0;

	frames = calloc(MOST_FRAMES, sizeof(*frames));
	while (list && frames && count < MOST_FRAMES &&
	       fscanf(list, "%lu %lu %lu", &frames[count].offset, &frames[count].length, &frames[count].plain) == 3) {
		frames[count].to = *sum;
		*sum += frames[count].plain;
		if (frames[count].plain > *largest)
			*largest = frames[count].plain;
		count++;
	}
	return count;
}

static int map_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	return file == MAP_FAILED ? -1 : 0;
}

static int take_fresh(uint64_t length)
{
	memory = mmap(NULL, length + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -1;
	memory = (char *)(((uintptr_t)memory + HUGE_PAGE - 1) & -HUGE_PAGE);
	return madvise(memory, length, MADV_HUGEPAGE);
}

int main(int argc, char **argv)
{
	int threads = argc > 3 ? atoi(argv[3]) : 0;
	struct worker workers[MOST_THREADS];
	uint64_t largest = 0, sum = 0, count;
	void *own[MOST_THREADS];
	int64_t start;

	if (threads < 1 || threads > MOST_THREADS)
		return 2;
	count = read_list(argv[2], &largest, &sum);
	if (count == 0 || map_file(argv[1]) < 0)
		return 1;
	for (int i = 0; i < threads; i++) {
		workers[i] = (struct worker){ZSTD_createDCtx(), malloc(largest)};
		memset(workers[i].out, 1, largest);
		own[i] = &workers[i];
	}
	start = now();
	if (argc > 4 && take_fresh(sum) < 0)
		return 1;
	crew_run(threads, count, decode, own);
	print_since(start);
	return 0;
}
