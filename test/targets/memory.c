/* Every kind of mapping: content, protection, flags, and how it behaves afterwards. */
#include "judge.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define PAGE 4096ul
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

struct mapping {
	unsigned long start, end;
	char perms[8], flags[200], path[200];
	long rss_kb;
};

static char *area, *area2, *area3;
static int fd;

static char *map_at(size_t size, int prot, int flags, int of, off_t offset)
{
	char *at = mmap(NULL, size, prot, flags, of, offset);

	if (at == MAP_FAILED)
		MUST(-1);
	return at;
}

static char *anonymous(size_t pages, int prot, int flags)
{
	return map_at(pages * PAGE, prot, MAP_ANONYMOUS | flags, -1, 0);
}

/* The mapping that holds an address, from smaps. */
static struct mapping mapping_of(const void *address)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	struct mapping now = {0}, found = {0};
	char line[512];
	unsigned long start, end;

	while (file && fgets(line, sizeof(line), file)) {
		char perms[8], path[200] = "";

		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %199[^\n]", &start, &end, perms, path) >= 3) {
			now = (struct mapping){.start = start, .end = end};
			strcpy(now.perms, perms);
			strcpy(now.path, path);
		}
		sscanf(line, "Rss: %ld", &now.rss_kb);
		if (sscanf(line, "VmFlags: %199[^\n]", now.flags) == 1 &&
		    now.start <= (unsigned long)address && (unsigned long)address < now.end)
			found = now;
	}
	if (file)
		fclose(file);
	return found;
}

static int has(const struct mapping *of, const char *flag)
{
	char padded[210];
	char wanted[8];

	snprintf(padded, sizeof(padded), " %s ", of->flags);
	snprintf(wanted, sizeof(wanted), " %s ", flag);
	return strstr(padded, wanted) != NULL;
}

static void flag_is(const void *address, const char *flag, int set, const char *what)
{
	struct mapping now = mapping_of(address);

	if (has(&now, flag) != set)
		FAIL("%s: flag %s is %sset (%s)", what, flag, set ? "not " : "", now.flags);
}

static sigjmp_buf back;

static void on_fault(int signo)
{
	siglongjmp(back, signo);
}

/* The signal that an access raises, 0 none. */
static int fault(volatile char *address, int write)
{
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_NODEFER}, old[2];
	int got;

	sigaction(SIGSEGV, &action, &old[0]);
	sigaction(SIGBUS, &action, &old[1]);
	got = sigsetjmp(back, 1);
	if (got == 0) {
		char byte = *address;

		if (write)
			*address = byte;
	}
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	return got;
}

static char *layout[8];

static void protection_prepare(void)
{
	static const int prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC,
				    PROT_READ | PROT_WRITE | PROT_EXEC};

	for (size_t i = 0; i < COUNT(prots); i++) {
		layout[i] = anonymous(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
		pattern_fill(layout[i], 4 * PAGE, i);
		MUST(mprotect(layout[i], 4 * PAGE, prots[i]));
	}
	/* Guard pages around one page, and pages that nobody has touched. */
	layout[5] = anonymous(9, PROT_NONE, MAP_PRIVATE);
	MUST(mprotect(layout[5] + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	strcpy(layout[5] + 4 * PAGE, "guarded");
}

static void protection_check(void)
{
	static const char *perms[] = {"---p", "r--p", "rw-p", "r-xp", "rwxp"};
	static const int faults[] = {3, 2, 0, 2, 0};

	for (size_t i = 0; i < COUNT(perms); i++) {
		struct mapping now = mapping_of(layout[i]);
		int got = (fault(layout[i] + PAGE, 0) ? 1 : 0) | (fault(layout[i] + PAGE, 1) ? 2 : 0);

		SAME_TEXT(now.perms, perms[i], "the protection");
		EQUAL(got, faults[i], "accesses that fault (1 read, 2 write)");
		MUST(mprotect(layout[i], 4 * PAGE, PROT_READ | PROT_WRITE));
		SAME_PATTERN(layout[i], 4 * PAGE, i, perms[i]);
	}
	SAME_TEXT(layout[5] + 4 * PAGE, "guarded", "the page between guards");
	EQUAL(fault(layout[5] + 3 * PAGE, 0), SIGSEGV, "the guard below");
	EQUAL(fault(layout[5] + 5 * PAGE, 0), SIGSEGV, "the guard above");
}

#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL, Linux 6.13 */
#define GUARD_REMOVE 103

static char *guarded[2];

static void guards_prepare(void)
{
	for (int i = 0; i < 2; i++) {
		guarded[i] = anonymous(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
		pattern_fill(guarded[i], i ? 8 * PAGE : PAGE, 30);
	}
	/* one among pages that are there, one stretch at the end of a mapping with next to nothing in it */
	if (madvise(guarded[1] + 3 * PAGE, 2 * PAGE, GUARD_INSTALL) < 0)
		CANNOT("no guard pages here: %s", strerror(errno));
	MUST(madvise(guarded[0] + 5 * PAGE, 3 * PAGE, GUARD_INSTALL));
}

static void guards_check(void)
{
	EQUAL(fault(guarded[1] + 2 * PAGE, 1), 0, "the page below");
	EQUAL(fault(guarded[1] + 3 * PAGE, 0), SIGSEGV, "the first guard");
	EQUAL(fault(guarded[1] + 4 * PAGE, 1), SIGSEGV, "the second guard");
	EQUAL(fault(guarded[1] + 5 * PAGE, 1), 0, "the page above");
	EQUAL(fault(guarded[0] + 4 * PAGE, 1), 0, "an untouched page");
	for (int i = 5; i < 8; i++)
		EQUAL(fault(guarded[0] + i * PAGE, 0), SIGSEGV, "guards at the end");
	MUST(madvise(guarded[1] + 3 * PAGE, 2 * PAGE, GUARD_REMOVE));
	EQUAL(guarded[1][3 * PAGE], 0, "a page whose guard was removed");
}

static void anonymous_prepare(void)
{
	area = anonymous(2048, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pattern_fill(area, 100 * PAGE, 10);
	pattern_fill(area + 1000 * PAGE + 5, 5000, 11);
	area2 = anonymous(100000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
	area2[50000 * PAGE] = 'm';
}

static void anonymous_check(void)
{
	SAME_PATTERN(area, 100 * PAGE, 10, "the start");
	SAME_PATTERN(area + 1000 * PAGE + 5, 5000, 11, "the middle");
	for (size_t i = 100 * PAGE; i < 1000 * PAGE; i++)
		if (area[i]) {
			FAIL("untouched memory is not zero at %zu", i);
			break;
		}
	EQUAL(area2[50000 * PAGE], 'm', "one page in a wide mapping");
	flag_is(area2, "nr", 1, "MAP_NORESERVE");
	struct mapping wide = mapping_of(area2);

	CHECK(wide.rss_kb < 40000, "%ld KiB of the wide mapping are resident", wide.rss_kb);
	MUST(madvise(area, 10 * PAGE, MADV_DONTNEED));
	for (size_t i = 0; i < 10 * PAGE; i++)
		if (area[i]) {
			FAIL("after MADV_DONTNEED byte %zu is not zero", i);
			break;
		}
	/* Anonymous memory can be moved and grown across what was populated and what was not. */
	area = mremap(area, 2048 * PAGE, 4096 * PAGE, MREMAP_MAYMOVE);
	CHECK(area != MAP_FAILED, "mremap: %s", strerror(errno));
	if (area != MAP_FAILED) {
		EQUAL((unsigned char)area[50 * PAGE], pattern_at(10, 50 * PAGE), "a byte after mremap");
		EQUAL(madvise(area + 20 * PAGE, PAGE, MADV_FREE), 0, "MADV_FREE");
	}
}

static void shared_prepare(void)
{
	area = anonymous(64, PROT_READ | PROT_WRITE, MAP_SHARED);
	pattern_fill(area, 64 * PAGE, 12);
	/* The same object a second time, shifted. */
	area2 = mremap(area + 8 * PAGE, 0, 16 * PAGE, MREMAP_MAYMOVE);
	CHECK(area2 != MAP_FAILED, "mremap of shared memory: %s", strerror(errno));
}

static void shared_check(void)
{
	pid_t child;

	SAME_PATTERN(area, 64 * PAGE, 12, "shared memory");
	area[9 * PAGE] = 'T';
	EQUAL(area2[PAGE], 'T', "the second mapping of the same object");
	child = fork();
	if (child == 0) {
		area[0] = 'C';
		_exit(0);
	}
	waitpid(child, NULL, 0);
	EQUAL(area[0], 'C', "what a child writes");
	SAME_TEXT(mapping_of(area).perms, "rw-s", "the protection");
	MUST(madvise(area + 4 * PAGE, PAGE, MADV_DONTNEED));
	EQUAL((unsigned char)area[4 * PAGE + 1], pattern_at(12, 4 * PAGE + 1),
	      "a byte of shared memory after MADV_DONTNEED");
}

static void file_make(const char *path, size_t size, uint64_t seed)
{
	char *bytes = malloc(size);

	fd = MUST(open(path, O_RDWR | O_CREAT | O_TRUNC, 0644));
	pattern_fill(bytes, size, seed);
	EQUAL(write(fd, bytes, size), (long)size, "write");
	free(bytes);
}

static void private_file_prepare(void)
{
	file_make("private-file", 20 * PAGE + 100, 13);
	area = map_at(20 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
	area[3 * PAGE] = 'W';
	memset(area + 5 * PAGE, 0, PAGE);
	area2 = map_at(21 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	/* The third mapping reaches behind the end of the file. */
	area3 = map_at(24 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
}

static void private_file_check(void)
{
	for (size_t i = 0; i < 20 * PAGE - PAGE; i++) {
		unsigned char want = pattern_at(13, i + PAGE);

		if (i == 3 * PAGE)
			want = 'W';
		if (i / PAGE == 5)
			want = 0;
		if ((unsigned char)area[i] != want) {
			FAIL("byte %zu is %d, expected %d", i, (unsigned char)area[i], want);
			break;
		}
	}
	SAME_PATTERN(area2, 20 * PAGE + 100, 13, "the one that is only read");
	EQUAL(area2[20 * PAGE + 101], 0, "a byte behind the end of the file, within its page");
	EQUAL(fault(area3 + 22 * PAGE, 0), SIGBUS, "an access behind the end of the file");
	MUST(madvise(area + 3 * PAGE, PAGE, MADV_DONTNEED));
	EQUAL((unsigned char)area[3 * PAGE], pattern_at(13, 4 * PAGE), "the file's byte after MADV_DONTNEED");
	CHECK(strstr(mapping_of(area2).path, "private-file") != NULL, "the mapping is named %s",
	      mapping_of(area2).path);
}

static void shared_file_prepare(void)
{
	file_make("shared-file", 8 * PAGE, 14);
	area = map_at(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	area[2 * PAGE] = pattern_at(14, 2 * PAGE);
}

static void shared_file_check(void)
{
	char byte = 0;

	SAME_PATTERN(area, 8 * PAGE, 14, "the mapping");
	area[PAGE + 7] = 'S';
	EQUAL(pread(fd, &byte, 1, PAGE + 7), 1, "pread");
	EQUAL(byte, 'S', "what the mapping wrote, read from the file");
	area[PAGE + 7] = pattern_at(14, PAGE + 7);
	SAME_TEXT(mapping_of(area).perms, "rw-s", "the protection");
}

static void deleted_file_prepare(void)
{
	file_make("deleted-file", 6 * PAGE, 15);
	area = map_at(6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	area2 = map_at(6 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unlink("deleted-file");
}

static void deleted_file_check(void)
{
	char byte = 0;

	SAME_PATTERN(area, 6 * PAGE, 15, "the private mapping of a deleted file");
	SAME_PATTERN(area2, 6 * PAGE, 15, "the shared mapping of a deleted file");
	area2[17] = 'D';
	EQUAL(pread(fd, &byte, 1, 17), 1, "pread");
	EQUAL(byte, 'D', "what the shared mapping wrote");
	EQUAL(area[17], 'D', "the private mapping's unmodified page");
}

static void memfd_prepare(void)
{
	int of = MUST(memfd_create("mapped", 0));

	MUST(ftruncate(of, 16 * PAGE));
	area = map_at(16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, of, 0);
	area2 = map_at(4 * PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, of, 4 * PAGE);
	area3 = map_at(16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, of, 0);
	pattern_fill(area, 16 * PAGE, 16);
	area3[PAGE] = 'P';
	close(of);
}

static void memfd_check(void)
{
	SAME_PATTERN(area, 16 * PAGE, 16, "the memfd");
	area[5 * PAGE] = 'N';
	EQUAL(area2[PAGE], 'N', "the second mapping of the memfd");
	EQUAL(area3[PAGE], 'P', "the private page");
	EQUAL((unsigned char)area3[2 * PAGE], pattern_at(16, 2 * PAGE), "a page of the private mapping");
	SAME_TEXT(mapping_of(area2).perms, "r-xs", "the protection");
}

static void *heap_end;

static void brk_prepare(void)
{
	layout[0] = malloc(5 * PAGE);
	heap_end = sbrk(0);
	area = sbrk(300 * PAGE);
	pattern_fill(area, 300 * PAGE, 17);
}

static void brk_check(void)
{
	EQUAL((long)sbrk(0), (long)area + 300 * (long)PAGE, "the break");
	SAME_PATTERN(area, 300 * PAGE, 17, "the heap");
	CHECK(sbrk(50 * PAGE) == area + 300 * PAGE, "the heap does not grow: %s", strerror(errno));
	area[320 * PAGE] = 1;
	CHECK(brk(heap_end) == 0, "the heap does not shrink");
	EQUAL((long)sbrk(0), (long)heap_end, "the break");
	/* Last, because it uses malloc. */
	SAME_TEXT(mapping_of((char *)heap_end - PAGE).path, "[heap]", "the name of the heap");
}

static int deep(int depth)
{
	volatile char page[PAGE];

	page[0] = depth;
	page[PAGE - 1] = depth;
	return depth == 0 ? 0 : deep(depth - 1) + (page[0] == (char)depth);
}

static void stack_prepare(void)
{
	/* A growing mapping of its own, below which 100 pages are free. */
	area = anonymous(400, PROT_NONE, MAP_PRIVATE);
	munmap(area, 390 * PAGE);
	munmap(area + 390 * PAGE, 10 * PAGE);
	area = mmap(area + 390 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(area != MAP_FAILED, "mmap: %s", strerror(errno));
	strcpy(area + 100, "on a growing stack");
}

static void stack_check(void)
{
	struct rlimit limit;
	char here;

	SAME_TEXT(area + 100, "on a growing stack", "the content");
	flag_is(area, "gd", 1, "MAP_GROWSDOWN");
	flag_is(&here, "gd", 1, "the stack");
	SAME_TEXT(mapping_of(&here).path, "[stack]", "the name of the stack");
	EQUAL(fault(area - 8, 1), 0, "growing by a page");
	getrlimit(RLIMIT_STACK, &limit);
	EQUAL(deep(1000), 1000, "a deep recursion");
}

static void advice_prepare(void)
{
	static const struct { int advice; size_t pages; } advices[] = {
		{MADV_DONTFORK, 4}, {MADV_WIPEONFORK, 4}, {MADV_DONTDUMP, 4}, {MADV_SEQUENTIAL, 4},
		{MADV_RANDOM, 4}, {MADV_HUGEPAGE, 1024}, {MADV_NOHUGEPAGE, 1024}, {MADV_MERGEABLE, 4},
	};

	for (size_t i = 0; i < COUNT(advices); i++) {
		layout[i] = anonymous(advices[i].pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
		/* MADV_MERGEABLE needs a kernel with KSM. */
		if (madvise(layout[i], advices[i].pages * PAGE, advices[i].advice) == -1 && i != 7)
			MUST(-1);
		pattern_fill(layout[i], 4 * PAGE, i);
	}
	area = anonymous(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	MUST(mlock(area, 4 * PAGE));
	area2 = anonymous(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	MUST((int)syscall(SYS_mlock2, area2, 4 * PAGE, 1));
	area3 = (char *)(long)mapping_of(layout[7]).start;
}

static void advice_check(void)
{
	static const char *const flags[] = {"dc", "wf", "dd", "sr", "rr", "hg", "nh"};
	int status = 0;
	pid_t child;

	for (size_t i = 0; i < COUNT(flags); i++) {
		flag_is(layout[i], flags[i], 1, "advice");
		/* Memory that is wiped on fork comes back zero in a copy: a copy is like a child. */
		if (i != 1)
			SAME_PATTERN(layout[i], 4 * PAGE, i, flags[i]);
	}
	CHECK(layout[1][5] == 0 || (unsigned char)layout[1][5] == pattern_at(1, 5), "MADV_WIPEONFORK");
	flag_is(area, "lo", 1, "mlock");
	flag_is(area2, "lo", 1, "mlock2");
	strcpy(layout[1], "wipe me");
	child = fork();
	if (child == 0) {
		int bad = layout[1][0] != 0;

		bad |= (fault(layout[0], 0) != SIGSEGV) << 1;
		_exit(bad);
	}
	waitpid(child, &status, 0);
	EQUAL(status, 0, "what a child sees wrongly (1 wipe-on-fork, 2 dont-fork; times 256)");
}

static void named_prepare(void)
{
	area = anonymous(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	area2 = anonymous(4, PROT_NONE, MAP_PRIVATE);
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area, 4 * PAGE, "a name") == -1)
		CANNOT("this kernel cannot name memory");
	MUST(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area2, 4 * PAGE, "reserved"));
	strcpy(area, "named");
}

static void named_check(void)
{
	SAME_TEXT(mapping_of(area).path, "[anon:a name]", "the name");
	SAME_TEXT(mapping_of(area2).path, "[anon:reserved]", "the second name");
	SAME_TEXT(area, "named", "the content");
}

static int key;

static void pkeys_prepare(void)
{
	key = pkey_alloc(0, 0);
	if (key == -1)
		CANNOT("no protection keys here: %s", strerror(errno));
	area = anonymous(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	strcpy(area, "keyed");
	MUST(pkey_mprotect(area, 4 * PAGE, PROT_READ | PROT_WRITE, key));
	MUST(pkey_set(key, PKEY_DISABLE_WRITE));
}

static void pkeys_check(void)
{
	int next;

	EQUAL(pkey_get(key), PKEY_DISABLE_WRITE, "the rights of the key");
	EQUAL(fault(area, 0), 0, "reading");
	EQUAL(fault(area, 1), SIGSEGV, "writing");
	pkey_set(key, 0);
	EQUAL(fault(area, 1), 0, "writing once it is allowed");
	SAME_TEXT(area, "keyed", "the content");
	next = pkey_alloc(0, 0);
	CHECK(next != key, "the key is given out again");
}

static void sealed_prepare(void)
{
	area = anonymous(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	strcpy(area, "sealed");
	if (syscall(462 /* mseal */, area, 4 * PAGE, 0) == -1)
		CANNOT("no mseal here: %s", strerror(errno));
}

static void sealed_check(void)
{
	SAME_TEXT(area, "sealed", "the content");
	CHECK(munmap(area, PAGE) == -1 && errno == EPERM, "a sealed mapping can be unmapped");
}

/* Neighbours that must not become one, and one that was cut in pieces. */
static void neighbours_prepare(void)
{
	area = anonymous(30, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pattern_fill(area, 30 * PAGE, 20);
	MUST(mprotect(area + 5 * PAGE, PAGE, PROT_READ));
	munmap(area + 10 * PAGE, PAGE);
	MUST(madvise(area + 20 * PAGE, 2 * PAGE, MADV_DONTDUMP));
}

static void neighbours_check(void)
{
	SAME_TEXT(mapping_of(area + 5 * PAGE).perms, "r--p", "the page in the middle");
	EQUAL(fault(area + 10 * PAGE, 0), SIGSEGV, "the hole");
	SAME_PATTERN(area, 10 * PAGE, 20, "the first part");
	flag_is(area + 21 * PAGE, "dd", 1, "the last but one");
	flag_is(area + 22 * PAGE, "dd", 0, "the last");
	EQUAL((unsigned char)area[29 * PAGE], pattern_at(20, 29 * PAGE), "a byte of the last");
	MUST(mprotect(area + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	EQUAL(mapping_of(area).end, (unsigned long)area + 10 * PAGE, "the end once the pieces join again");
}

static void low_prepare(void)
{
	area = mmap((void *)0x10000, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(area == (char *)0x10000, "mmap at 64 KiB: %s", strerror(errno));
	strcpy(area, "low");
	/* Where a stub would like to live. */
	area2 = mmap((void *)0x10000000000, 64 << 20, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
	strcpy(area2, "in the way");
	area3 = mmap((void *)0x7ffffffe0000, 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (area3 != MAP_FAILED)
		strcpy(area3, "high");
}

static void low_check(void)
{
	SAME_TEXT(area, "low", "the lowest mapping");
	SAME_TEXT(area2, "in the way", "the one in the middle");
	if (area3 != MAP_FAILED)
		SAME_TEXT(area3, "high", "the highest mapping");
}

static int64_t before_ns;

static void vdso_prepare(void)
{
	before_ns = now_ns(CLOCK_MONOTONIC);
}

static void vdso_check(void)
{
	struct timespec of_kernel;
	int64_t vdso = now_ns(CLOCK_MONOTONIC), kernel;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &of_kernel);
	kernel = of_kernel.tv_sec * 1000000000ll + of_kernel.tv_nsec;
	CHECK(kernel - vdso >= 0 && kernel - vdso < 100000000, "vdso and kernel differ by %lld ns",
	      (long long)(kernel - vdso));
	CHECK(vdso >= before_ns, "CLOCK_MONOTONIC went back by %lld ns", (long long)(before_ns - vdso));
}

static const struct judge_case cases[] = {
	{"anonymous", anonymous_prepare, anonymous_check},
	{"protection", protection_prepare, protection_check},
	{"guards", guards_prepare, guards_check},
	{"shared", shared_prepare, shared_check},
	{"private-file", private_file_prepare, private_file_check},
	{"shared-file", shared_file_prepare, shared_file_check},
	{"deleted-file", deleted_file_prepare, deleted_file_check},
	{"memfd", memfd_prepare, memfd_check},
	{"brk", brk_prepare, brk_check},
	{"stack", stack_prepare, stack_check},
	{"advice", advice_prepare, advice_check},
	{"named", named_prepare, named_check},
	{"pkeys", pkeys_prepare, pkeys_check},
	{"sealed", sealed_prepare, sealed_check},
	{"neighbours", neighbours_prepare, neighbours_check},
	{"low", low_prepare, low_check},
	{"vdso", vdso_prepare, vdso_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
