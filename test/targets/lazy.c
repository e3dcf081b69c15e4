/*
 * Memory of every shape that `--lazy` maps from the file: contents, what it does differently, and what it must not.
 *
 *   lazy [CASE]...   "memory" says at the end whether it was mapped from a file or whole, "tree" has a child, and makes another at SIGUSR2
 */
#include "judge.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PAGE 4096UL
#define MIB (1UL << 20)
#define PLAIN (16 * MIB)
#define HOLE (3 * MIB) /* 64 pages are untouched from here on, then one is written with zeros */
#define NAME "frore-lazy"

static unsigned char *plain, *named, *heap, *block, *readable, *reserved, *common;
static int has_names;

struct place {
	unsigned long start, end;
	char path[256];
};

/* The mapping that holds `at`. Without malloc(3), which would change the heap. */
static struct place place_of(const void *at)
{
	static char maps[1 << 16];
	struct place place;

	for (char *line = (char *)slurp("/proc/self/maps", maps, sizeof(maps)), *next; line; line = next) {
		if ((next = strchr(line, '\n')))
			*next++ = 0;
		place.path[0] = 0;
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %255[^\n]", &place.start, &place.end, place.path) >= 2 &&
		    place.start <= (unsigned long)at && (unsigned long)at < place.end)
			return place;
	}
	FAIL("nothing is mapped at %p", at);
	return (struct place){0, 0, ""};
}

static int is_mapped(const void *at)
{
	return place_of(at).path[0] == '/';
}

static unsigned char *anonymous(size_t length, int flags)
{
	return MUST(mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0));
}

static void fill_plain(void)
{
	plain = anonymous(PLAIN, 0);
	pattern_fill(plain, HOLE, 1);
	pattern_fill(plain + HOLE + 65 * PAGE, PLAIN - HOLE - 65 * PAGE, 2);
	memset(plain + HOLE + 64 * PAGE, 0, PAGE);
}

static void check_plain(const char *who)
{
	SAME_PATTERN(plain, HOLE, 1, who);
	SAME_PATTERN(plain + HOLE + 65 * PAGE, PLAIN - HOLE - 65 * PAGE, 2, who);
	for (size_t i = 0; i < 65 * PAGE; i++)
		if (plain[HOLE + i]) {
			FAIL("%s: byte %zu of the hole is not zero", who, i);
			break;
		}
}

/* A thread with something on a stack that is not the first one's. */
static pthread_t thread;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *on_its_stack(void *unused)
{
	unsigned char bytes[MIB];

	(void)unused;
	pattern_fill(bytes, sizeof(bytes), 7);
	pthread_mutex_lock(&held);
	SAME_PATTERN(bytes, sizeof(bytes), 7, "the stack of a thread");
	pthread_mutex_unlock(&held);
	return NULL;
}

static void memory_prepare(void)
{
	/* From the start of the heap on. */
	block = malloc(100 * 1024);
	pattern_fill(block, 100 * 1024, 9);
	fill_plain();
	/* Two neighbours, of which only the first one has a name. */
	named = anonymous(3 * MIB, 0);
	pattern_fill(named, 3 * MIB, 3);
	MUST(mprotect(named + 2 * MIB, MIB, PROT_READ));
	has_names = prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named, MIB, NAME) == 0;
	readable = anonymous(MIB, 0);
	pattern_fill(readable, MIB, 5);
	MUST(mprotect(readable, MIB, PROT_READ));
	reserved = anonymous(64 * MIB, MAP_NORESERVE);
	pattern_fill(reserved + 32 * MIB, MIB, 6);
	pthread_mutex_lock(&held);
	errno = pthread_create(&thread, NULL, on_its_stack, NULL);
	MUST(errno ? -1 : 0);
	/* Last, so that it is the end. */
	heap = MUST(sbrk(2 * MIB));
	pattern_fill(heap, 2 * MIB, 4);
}

static void check_fork(void)
{
	int ends[2], status = 0;
	pid_t child;
	char go;

	MUST(pipe(ends));
	child = MUST(fork());
	if (child == 0) {
		judge_failures = 0;
		if (read(ends[0], &go, 1) != 1) /* the parent has written by then */
			_exit(2);
		check_plain("a child");
		memset(plain, 0xee, PAGE);
		_exit(judge_failures != 0);
	}
	plain[5 * PAGE] ^= 1;
	MUST(write(ends[1], "", 1));
	MUST(waitpid(child, &status, 0));
	EQUAL(status, 0, "the end of a child");
	plain[5 * PAGE] ^= 1;
	check_plain("after a fork");
}

/* What --help tells: dropped pages are those of the snapshot again, and may not be freed without being dropped. */
static void check_dropping(int mapped)
{
	unsigned char *written = plain + 8 * PAGE, *untouched = plain + 16 * PAGE;

	memset(written, 0xdd, 2 * PAGE);
	MUST(madvise(written, 2 * PAGE, MADV_DONTNEED));
	MUST(madvise(untouched, 2 * PAGE, MADV_DONTNEED));
	EQUAL(written[1], mapped ? pattern_at(1, 8 * PAGE + 1) : 0, "a byte that was written and dropped");
	EQUAL(untouched[PAGE + 1], mapped ? pattern_at(1, 17 * PAGE + 1) : 0, "a byte that was dropped");
	errno = 0;
	EQUAL(madvise(written, PAGE, MADV_FREE), mapped ? -1 : 0, "MADV_FREE");
	EQUAL(errno, mapped ? EINVAL : 0, "the error of MADV_FREE");
	pattern_fill(plain, HOLE, 1);
}

static void check_names(int mapped)
{
	struct place first = place_of(named), second = place_of(named + MIB);

	if (!has_names)
		return;
	SAME_TEXT(first.path, "[anon:" NAME "]", "the name of memory");
	EQUAL(first.end - first.start, mapped ? PAGE : MIB, "bytes with that name");
	CHECK(place_of(named + MIB + PAGE).path[0] == (mapped ? '/' : 0), "its neighbour is %s", second.path);
	CHECK(strstr(second.path, NAME) == NULL, "its neighbour is named %s", second.path);
}

static void check_heap(int mapped)
{
	SAME_PATTERN(block, 100 * 1024, 9, "a block of the heap");
	SAME_PATTERN(heap, 2 * MIB, 4, "the heap");
	CHECK(mapped || strcmp(place_of(heap + MIB).path, "[heap]") == 0, "the heap is %s", place_of(heap + MIB).path);
	EQUAL((unsigned char *)sbrk(0) - heap, 2 * MIB, "the end of the heap");
	MUST(sbrk(-(long)MIB));
	MUST(sbrk(3 * MIB));
	SAME_PATTERN(heap, MIB, 4, "the heap, which has shrunk and grown,");
	EQUAL(heap[2 * MIB], 0, "new memory of the heap");
}

static void memory_check(void)
{
	int mapped = is_mapped(plain);
	struct place all = place_of(plain + PLAIN / 2);
	char links[64], link[256];

	check_plain("memory");
	SAME_PATTERN(named, 3 * MIB, 3, "named memory");
	SAME_PATTERN(readable, MIB, 5, "memory that may be read");
	SAME_PATTERN(reserved + 32 * MIB, MIB, 6, "memory without a reserve");
	EQUAL(reserved[16 * MIB], 0, "a byte before it");
	CHECK(mapped || all.path[0] == 0, "it lies in %s", all.path);
	for (int fd = 3; fd < 256; fd++) {
		ssize_t length;

		snprintf(links, sizeof(links), "/proc/self/fd/%d", fd);
		length = readlink(links, link, sizeof(link) - 1);
		CHECK(length < 6 || memcmp(link + length - 6, ".frore", 6) != 0, "descriptor %d is the file", fd);
	}
	check_fork();
	check_dropping(mapped);
	check_names(mapped);
	check_heap(mapped);
	pthread_mutex_unlock(&held);
	pthread_join(thread, NULL);
	if (judge_failures == 0)
		say("%s", mapped ? "mapped" : "whole");
}

/* Children that judge themselves when the pipe ends. */
static pid_t children[2];
static int go[2];

static void be_a_child(int has_plain)
{
	char byte;

	judge_failures = 0;
	close(go[1]);
	while (read(go[0], &byte, 1) == -1 && errno == EINTR)
		;
	SAME_PATTERN(common, 4 * MIB, 8, "what relatives have in common");
	if (has_plain)
		check_plain("a child of a resumed program");
	_exit(judge_failures != 0);
}

static void on_fork(int signo)
{
	(void)signo;
	children[1] = fork();
	if (children[1] == 0)
		be_a_child(1);
	say("forked");
}

static void tree_prepare(void)
{
	struct sigaction action = {.sa_handler = on_fork, .sa_flags = SA_RESTART};

	sigaction(SIGUSR2, &action, NULL);
	common = anonymous(4 * MIB, 0);
	pattern_fill(common, 4 * MIB, 8);
	MUST(pipe(go));
	children[0] = MUST(fork());
	if (children[0] == 0)
		be_a_child(0);
	fill_plain();
}

static void tree_check(void)
{
	check_plain("memory of a parent");
	SAME_PATTERN(common, 4 * MIB, 8, "what relatives have in common");
	if (is_mapped(plain))
		say("mapped");
	close(go[1]);
	for (int i = 0; i < 2; i++) {
		int status = 0;

		if (!children[i])
			continue;
		EQUAL(waitpid(children[i], &status, 0), children[i], "a child");
		EQUAL(status, 0, "the end of a child");
	}
}

int main(int argc, char **argv)
{
	static const struct judge_case cases[] = {
		{"memory", memory_prepare, memory_check},
		{"tree", tree_prepare, tree_check},
	};

	return judge_cases(argc, argv, cases, COUNT(cases));
}
