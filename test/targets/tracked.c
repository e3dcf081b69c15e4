/*
 * Large memory whose mappings and pages change in every way there is, while it is copied ahead of the stop (--live). What each page
 * must hold stands in a table, so that one change that was missed shows.
 */
#include "judge.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define FIELD (24UL << 20)
#define STEADY (72UL << 20)
#define PAGES (FIELD / PAGE)
#define MADV_COLLAPSE_NOW 25

static volatile int stop_all;
static pthread_t changer;
static unsigned char *steady, *field, *aside;
static uint32_t *expected;
static uint64_t seed = 88172645463325252ULL, steps, refused;
static int feed[2], forks;
static unsigned char *heap;

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static unsigned char *mapped(void *at, size_t size, int flags)
{
	void *made = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return MUST((long)made) == -1 ? NULL : made;
}

static uint32_t *word(uint64_t page, int last)
{
	return (uint32_t *)(field + page * PAGE + (last ? PAGE - 4 : 0));
}

static void write_page(uint64_t page)
{
	uint32_t value = (uint32_t)any(1U << 31) + 1;

	*word(page, 0) = value;
	if (any(2)) {
		*word(page, 1) = value;
	} else { /* the kernel writes, too */
		MUST(write(feed[1], &value, 4));
		MUST(read(feed[0], word(page, 1), 4));
	}
	expected[page] = value;
}

static void forget(uint64_t page, uint64_t count)
{
	memset(expected + page, 0, count * sizeof(*expected));
}

static void move_pages(uint64_t from, uint64_t to, uint64_t count)
{
	if (from + count > to && to + count > from)
		return;
	/* of what was mapped in several steps, it may be refused while it is tracked: then there are several mappings */
	if (mremap(field + from * PAGE, count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, field + to * PAGE) == MAP_FAILED) {
		if (errno != EFAULT)
			FAIL("mremap(): %s", strerror(errno));
		refused++;
		mapped(field + from * PAGE, count * PAGE, MAP_FIXED);
		mapped(field + to * PAGE, count * PAGE, MAP_FIXED);
		forget(from, count);
		forget(to, count);
		return;
	}
	mapped(field + from * PAGE, count * PAGE, MAP_FIXED);
	memcpy(expected + to, expected + from, count * sizeof(*expected));
	forget(from, count);
}

/* The heap grows and shrinks by half a MiB, whose last word is written. */
static void change_heap(void)
{
	size_t more = 128 * PAGE;

	if (heap) {
		MUST((long)sbrk(-(long)more));
		heap = NULL;
	} else {
		heap = sbrk((long)more);
		heap[more - 1] = 77;
	}
}

static void fork_once(void)
{
	pid_t child;

	if (!forks)
		return;
	child = MUST(fork());
	if (child == 0)
		_exit(0);
	MUST(waitpid(child, NULL, 0));
}

static void change_something(void)
{
	uint64_t page = any(PAGES - 64), count = 1 + any(32), block = any(FIELD / HUGE);

	switch (any(12)) {
	case 0:
		MUST(madvise(field + page * PAGE, count * PAGE, MADV_DONTNEED));
		return forget(page, count);
	case 1:
		MUST(madvise(field + block * HUGE, HUGE, MADV_DONTNEED));
		return forget(block * HUGE / PAGE, HUGE / PAGE);
	case 2:
		mapped(field + page * PAGE, count * PAGE, MAP_FIXED);
		return forget(page, count);
	case 3:
		return move_pages(page, any(PAGES - 64), count);
	case 4: /* unreadable for a while, not written to */
		MUST(mprotect(field + page * PAGE, count * PAGE, PROT_NONE));
		sleep_ms(2);
		MUST(mprotect(field + page * PAGE, count * PAGE, PROT_READ | PROT_WRITE));
		return;
	case 5:
		madvise(field + block * HUGE, HUGE, MADV_COLLAPSE_NOW);
		return;
	case 6:
		return change_heap();
	case 7:
		return fork_once();
	case 8: /* one that comes, is used and goes */
		aside = mapped(NULL, count * HUGE / 8, 0);
		aside[any(count * HUGE / 8)] = 1;
		MUST(munmap(aside, count * HUGE / 8));
		return;
	case 9:
		for (uint64_t i = 0; i < 20; i++)
			EQUAL(*word(page + i, 0), expected[page + i], "a page that is only looked at");
		return;
	default:
		for (uint64_t i = 0; i < count; i++)
			write_page(page + i);
	}
}

static void *change(void *unused)
{
	for (; !stop_all; steps++) {
		change_something();
		sleep_ms(1);
	}
	return unused;
}

static void shapes_prepare(void)
{
	steady = mapped(NULL, STEADY, 0);
	pattern_fill(steady, STEADY, 5);
	/* a block at both ends, so that no other mapping is its neighbour */
	field = mapped(NULL, FIELD + 3 * HUGE, 0);
	field = (unsigned char *)(((uintptr_t)field + 2 * HUGE - 1) & ~(HUGE - 1));
	expected = (void *)mapped(NULL, PAGES * sizeof(*expected), 0);
	MUST(pipe(feed));
	for (uint64_t page = 0; page < PAGES; page += 1 + any(3))
		write_page(page);
	MUST(-pthread_create(&changer, NULL, change, NULL));
}

static void forks_prepare(void)
{
	forks = 1;
	shapes_prepare();
}

static void shapes_check(void)
{
	uint64_t wrong = 0;

	say("%lu steps, %lu moves refused", steps, refused);
	stop_all = 1;
	pthread_join(changer, NULL);
	SAME_PATTERN(steady, STEADY, 5, "memory that nobody changes");
	for (uint64_t page = 0; page < PAGES; page++)
		if ((*word(page, 0) != expected[page] || *word(page, 1) != expected[page]) && wrong++ < 5)
			FAIL("page %lu of the field is %x %x, expected %x, after %lu steps", page, *word(page, 0), *word(page, 1),
			     expected[page], steps);
	EQUAL(wrong, 0, "wrong pages");
	CHECK(!heap || heap[128 * PAGE - 1] == 77, "the heap has lost what was written to it");
}

/* Threads that have been asleep for long when they are frozen. */
#define SLEEP 9

static double slept[3];
static pthread_t sleepers[3];

static void *sleep_long(void *which)
{
	struct timespec whole = {SLEEP, 0}, begin, end;
	struct epoll_event event;
	int epoll = epoll_create1(0);

	clock_gettime(CLOCK_MONOTONIC, &begin);
	switch ((long)which) {
	case 0:
		nanosleep(&whole, NULL);
		break;
	case 1:
		poll(NULL, 0, SLEEP * 1000);
		break;
	default:
		epoll_wait(epoll, &event, 1, SLEEP * 1000);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	slept[(long)which] = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	return NULL;
}

static void sleepers_prepare(void)
{
	steady = mapped(NULL, STEADY, 0);
	pattern_fill(steady, STEADY, 5);
	for (long i = 0; i < 3; i++)
		MUST(-pthread_create(&sleepers[i], NULL, sleep_long, (void *)i));
}

static void sleepers_check(void)
{
	static const char *const names[] = {"nanosleep()", "poll()", "epoll_wait()"};

	for (int i = 0; i < 3; i++) {
		pthread_join(sleepers[i], NULL);
		CHECK(slept[i] > SLEEP - 0.2 && slept[i] < SLEEP + 3, "%s for %d s took %.1f s", names[i], SLEEP, slept[i]);
	}
	SAME_PATTERN(steady, STEADY, 5, "memory that nobody changes");
}

static const struct judge_case cases[] = {
	{"shapes", shapes_prepare, shapes_check},
	{"forks", forks_prepare, shapes_check},
	{"sleepers", sleepers_prepare, sleepers_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
