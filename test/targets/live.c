/*
 * What a snapshot that is taken while the program runs on (--live) must not get wrong: one moment for all pages, of all processes,
 * and no trace in the original. The number behind "writers" is how many MiB it writes to all the time.
 */
#include "judge.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PAGE 4096UL

static volatile int stop_all;
static pthread_t writer, waiter;

/* Page after page gets the number of the round: two rounds never stand side by side but at one place. */
static volatile uint64_t *rounds;
static uint64_t round_pages = 16384;
static volatile uint64_t torn_at;

static void *write_rounds(void *unused)
{
	for (uint64_t round = 1; !stop_all; round++)
		for (uint64_t i = 0; i < round_pages; i++) {
			volatile uint64_t *cell = rounds + i * PAGE / sizeof(*rounds);

			if (*cell != round - 1 && !torn_at)
				torn_at = i + 1;
			*cell = round;
		}
	return unused;
}

static void *anonymous(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return MUST((long)at) == -1 ? NULL : at;
}

static void writers_prepare(void)
{
	rounds = anonymous(round_pages * PAGE);
	for (uint64_t i = 0; i < round_pages; i++)
		rounds[i * PAGE / sizeof(*rounds)] = 0;
	MUST(-pthread_create(&writer, NULL, write_rounds, NULL));
}

static void writers_check(void)
{
	sleep_ms(200);
	stop_all = 1;
	pthread_join(writer, NULL);
	CHECK(!torn_at, "page %lu is of another moment than the one before", torn_at - 1);
}

/* What MADV_DONTFORK keeps from children is there nevertheless, and what MADV_WIPEONFORK does not let them see is not. */
static unsigned char *kept, *wiped;

static void dontfork_prepare(void)
{
	kept = anonymous(64 * PAGE);
	pattern_fill(kept, 64 * PAGE, 7);
	MUST(madvise(kept, 64 * PAGE, MADV_DONTFORK));
	wiped = anonymous(4 * PAGE);
	pattern_fill(wiped, 4 * PAGE, 8);
	MUST(madvise(wiped, 4 * PAGE, MADV_WIPEONFORK));
}

static void dontfork_check(void)
{
	SAME_PATTERN(kept, 64 * PAGE, 7, "memory with MADV_DONTFORK");
	CHECK(wiped[1] == 0 || pattern_differs(wiped, 4 * PAGE, 8) == -1, "memory with MADV_WIPEONFORK is neither as it was nor empty");
}

/* Nobody ever sees a child, a signal, a descriptor or a mapping that it did not have. */
static volatile int told_of_child, found_child;
static int descriptors;
static char maps[65536];

static void on_child(int signo)
{
	(void)signo;
	told_of_child++;
}

static void *wait_for_children(void *options)
{
	while (!stop_all) {
		errno = 0;
		if (waitpid(-1, NULL, WNOHANG | (int)(long)options) != -1 || errno != ECHILD)
			found_child++;
	}
	return NULL;
}

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void traceless(int options)
{
	struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};

	sigaction(SIGCHLD, &action, NULL);
	MUST(-pthread_create(&waiter, NULL, wait_for_children, (void *)(long)options));
	free(malloc(1 << 16));
	descriptors = count_descriptors();
	slurp("/proc/self/maps", maps, sizeof(maps));
	slurp("/proc/self/maps", maps, sizeof(maps));
}

static void traceless_prepare(void)
{
	traceless(__WALL);
}

/* While the copy is made it does have a child, which only __WALL shows. */
static void subreaper_prepare(void)
{
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
	traceless(0);
}

static void traceless_check(void)
{
	static char now[sizeof(maps)];

	stop_all = 1;
	pthread_join(waiter, NULL);
	EQUAL(told_of_child, 0, "SIGCHLD");
	EQUAL(found_child, 0, "children seen");
	EQUAL(count_descriptors(), descriptors, "descriptors");
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD, "there is a child");
	slurp("/proc/self/maps", now, sizeof(now));
	if (access("resumed", F_OK) != 0)
		CHECK(strcmp(now, maps) == 0, "the mappings were\n%s\nand are\n%s", maps, now);
}

static void subreaper_check(void)
{
	int is = 0;

	traceless_check();
	MUST(prctl(PR_GET_CHILD_SUBREAPER, &is));
	EQUAL(is, 1, "subreaper");
}

/* Large memory whose advice changes all the time, without a trace in /proc/PID/maps. */
static unsigned char *advised;
static const size_t advised_size = 80 << 20;

static void *change_advice(void *unused)
{
	static const int advice[] = {MADV_DONTFORK, MADV_HUGEPAGE, MADV_DOFORK, MADV_NOHUGEPAGE};

	for (unsigned i = 0; !stop_all; i++)
		if (madvise(advised, advised_size, advice[i % COUNT(advice)]) != 0)
			torn_at = i + 1;
	return unused;
}

static void advice_prepare(void)
{
	advised = anonymous(advised_size);
	pattern_fill(advised, advised_size, 11);
	MUST(-pthread_create(&writer, NULL, change_advice, NULL));
}

static void advice_check(void)
{
	stop_all = 1;
	pthread_join(writer, NULL);
	EQUAL(torn_at, 0, "madvise() failed");
	SAME_PATTERN(advised, advised_size, 11, "memory");
}

/* Two processes that count in turns, each in memory of its own: one is never two ahead. */
static int there[2], back[2];
static pid_t partner;
static volatile uint64_t *count;

static void *count_in_turns(void *unused)
{
	uint64_t answer;

	while (!stop_all) {
		++*count;
		if (write(there[1], (void *)count, 8) != 8 || read(back[0], &answer, 8) != 8 || answer != *count)
			torn_at = 1;
	}
	return unused;
}

static void answer_in_turns(void)
{
	uint64_t asked;

	while (read(there[0], &asked, 8) == 8) {
		++*count;
		if (*count != asked || write(back[1], (void *)count, 8) != 8)
			_exit(4);
	}
	_exit(0);
}

static void turns_prepare(void)
{
	unsigned char *much = anonymous(32 << 20);

	pattern_fill(much, 32 << 20, 3);
	count = (void *)much;
	*count = 0;
	MUST(pipe(there));
	MUST(pipe(back));
	partner = MUST(fork());
	if (partner == 0) {
		close(there[1]);
		answer_in_turns();
	}
	MUST(-pthread_create(&writer, NULL, count_in_turns, NULL));
}

static void turns_check(void)
{
	int status = 0;

	sleep_ms(100);
	stop_all = 1;
	pthread_join(writer, NULL);
	close(there[1]);
	EQUAL(waitpid(partner, &status, 0), partner, "waitpid()");
	EQUAL(status, 0, "the partner's status");
	EQUAL(torn_at, 0, "a count is of another moment than the partner's");
}

static const struct judge_case cases[] = {
	{"writers", writers_prepare, writers_check},
	{"dontfork", dontfork_prepare, dontfork_check},
	{"traceless", traceless_prepare, traceless_check},
	{"subreaper", subreaper_prepare, subreaper_check},
	{"advice", advice_prepare, advice_check},
	{"turns", turns_prepare, turns_check},
};

int main(int argc, char **argv)
{
	if (argc > 2)
		round_pages = strtoul(argv[2], NULL, 10) << 8;
	return judge_cases(argc > 2 ? 2 : argc, argv, cases, COUNT(cases));
}
