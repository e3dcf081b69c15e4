/*
 * Relatives that share private memory: a parent with 64 MiB, eight children and a grandchild. Each has changed, dropped, cut or
 * protected some of it since. Besides the bytes, the sum of what all of them take is judged: what was shared must be shared again.
 */
#include "judge.h"
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE 4096
#define PAGES 16384
#define CHILDREN 8
#define FILE_PAGES 32
#define FIRST_OWN 100

struct shared {
	volatile int set_up, failures, checked;
	volatile int go[CHILDREN + 1];
	volatile pid_t grandchild;
};

static struct shared *shared;
static unsigned char *big, *heap, *mapped, *moved;
static unsigned char data[16 * PAGE] = {1};
static int me = -1; /* -1 the parent, CHILDREN the grandchild */
static pid_t child[CHILDREN];

static unsigned char *page(int n)
{
	return big + (size_t)n * PAGE;
}

static void write_pages(int first, int count, uint64_t seed)
{
	for (int n = first; n < first + count; n++)
		pattern_fill(page(n), PAGE, seed + n);
}

static void expect_pages(int first, int count, uint64_t seed, const char *what)
{
	for (int n = first; n < first + count; n++)
		if (pattern_differs(page(n), PAGE, seed + n) != -1) {
			FAIL("%s: page %d of task %d differs", what, n, me);
			return;
		}
}

static int is_zero(const unsigned char *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i])
			return 0;
	return 1;
}

static void be_different(void)
{
	if (me >= 0 && me < CHILDREN)
		write_pages(FIRST_OWN + me, 1, 1000000 * (me + 2));
	switch (me) {
	case 0:
		madvise(page(200), 100 * PAGE, MADV_DONTNEED);
		madvise(mapped + 4 * PAGE, 4 * PAGE, MADV_DONTNEED);
		break;
	case 1:
		write_pages(300, 100, 70000);
		if (fork() == 0) {
			me = CHILDREN;
			shared->grandchild = getpid();
			write_pages(500, 1, 80000);
		}
		break;
	case 2:
		munmap(page(1000), 100 * PAGE);
		mprotect(page(1100), 100 * PAGE, PROT_READ);
		mprotect(page(1300), 100 * PAGE, PROT_NONE);
		break;
	case 3:
		moved = mremap(page(PAGES - 256), 256 * PAGE, 256 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(PAGES + 512));
		break;
	case 4:
		pattern_fill(heap, PAGE, 44);
		heap = realloc(heap, 900 * 1000);
		break;
	}
}

static void expect_own(void)
{
	int owner = me == CHILDREN ? 1 : me;
	int cut = me == 2, end = me == 3 ? PAGES - 256 : PAGES;

	expect_pages(0, FIRST_OWN, 0, "what nobody has written to");
	for (int i = 0; i < CHILDREN; i++)
		expect_pages(FIRST_OWN + i, 1, i == owner ? 1000000 * (i + 2) : 0, "what one child has written to");
	if (me == 0)
		CHECK(is_zero(page(200), 100 * PAGE), "dropped pages are not zero");
	else
		expect_pages(200, 100, 0, "what one child has dropped");
	expect_pages(300, 100, owner == 1 ? 70000 : 0, "what a child has written to before it forked");
	expect_pages(500, 1, me == CHILDREN ? 80000 : 0, "what the grandchild has written to");
	expect_pages(600, 100, me == -1 ? 90000 : 0, "what the parent has written to since");
	expect_pages(700, 300, 0, "what nobody has written to");
	if (!cut)
		expect_pages(1000, 100, 0, "what one child has unmapped");
	else
		CHECK(msync(page(1000), PAGE, MS_ASYNC) == -1 && errno == ENOMEM, "an unmapped page is there");
	expect_pages(1100, 100, 0, "what one child may not write to");
	if (cut)
		mprotect(page(1300), 100 * PAGE, PROT_READ);
	expect_pages(1200, end - 1200, 0, "what nobody has written to");
	for (int n = 0; me == 3 && n < 256; n++)
		CHECK(pattern_differs(moved + n * PAGE, PAGE, PAGES - 256 + n) == -1, "moved page %d differs", n);
	SAME_PATTERN(data, sizeof(data), 22, "initialised data");
	CHECK(pattern_differs(heap + PAGE, 298 * 1000, 33) == -1 || me == 4, "the heap differs");
	CHECK(me != 4 || pattern_differs(heap, PAGE, 44) == -1, "the changed heap differs");
	for (int n = 0; n < FILE_PAGES; n++)
		CHECK(pattern_differs(mapped + n * PAGE, PAGE, n % 8 >= 4 && !(me == 0 && n < 8) ? 55 : 5 + n) == -1,
		      "page %d of the mapped file differs in task %d", n, me);
}

/* Memory that was moved into place grows as any other: by brk(2) and by mremap(2). */
static void expect_growth(void)
{
	for (int i = 0; i < 30; i++)
		memset(malloc(100 * 1000), i, 100 * 1000);
	heap = realloc(heap, 5 * 1000 * 1000);
	CHECK(heap != NULL, "realloc: %s", strerror(errno));
	CHECK(me == 4 || pattern_differs(heap + PAGE, 298 * 1000, 33) == -1, "the heap that has grown differs");
	memset(heap + 4 * 1000 * 1000, 1, 1000 * 1000);
}

/* What one process takes of memory that it may share, KiB. */
static long pss_of(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss_Anon: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

/* What all of them have of their own is about 3 MiB; each that is not shared would take 64. */
static void expect_sharing(void)
{
	long all = pss_of(getpid()), grand = pss_of(shared->grandchild);

	for (int i = 0; i < CHILDREN; i++)
		all += pss_of(child[i]);
	all += grand;
	say("together %ld KiB, the grandchild %ld KiB", all, grand);
	CHECK(all > 60 * 1024 && all < 80 * 1024, "all together take %ld KiB", all);
	CHECK(grand > 0 && grand < 12 * 1024, "the grandchild takes %ld KiB", grand);
}

static void serve(void)
{
	__atomic_add_fetch(&shared->set_up, 1, __ATOMIC_SEQ_CST);
	while (!shared->go[me])
		sleep_ms(5);
	if (shared->go[me] == 1) {
		expect_own();
		expect_growth();
		write_pages(50, 1, 123456 + me); /* seen by nobody else */
		expect_pages(50, 1, 123456 + me, "what was written just now");
	}
	__atomic_add_fetch(&shared->failures, judge_failures, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&shared->checked, 1, __ATOMIC_SEQ_CST);
	if (me == 1)
		wait(NULL);
	_exit(0);
}

static void map_file(void)
{
	unsigned char bytes[PAGE];
	int file = MUST(open("cow-file", O_RDWR | O_CREAT | O_TRUNC, 0600));

	for (int n = 0; n < FILE_PAGES; n++) {
		pattern_fill(bytes, PAGE, 5 + n);
		EQUAL(write(file, bytes, PAGE), PAGE, "write");
	}
	mapped = MUST(mmap(NULL, FILE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0));
	for (int n = 0; n < FILE_PAGES; n++)
		if (n % 8 >= 4)
			pattern_fill(mapped + n * PAGE, PAGE, 55);
	close(file);
}

int main(void)
{
	judge_subject = "cow";
	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = MUST(mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	big = MUST(mmap(NULL, (size_t)(PAGES + 1024) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	MUST(mmap(big, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	madvise(big, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
	write_pages(0, PAGES, 0);
	heap = malloc(300 * 1000);
	pattern_fill(heap + PAGE, 298 * 1000, 33);
	pattern_fill(data, sizeof(data), 22);
	map_file();
	for (int i = 0; i < CHILDREN; i++) {
		child[i] = MUST(fork());
		if (child[i] == 0) {
			me = i;
			be_different();
			serve();
		}
	}
	while (shared->set_up < CHILDREN + 1)
		sleep_ms(1);
	write_pages(600, 100, 90000);
	ready();
	judge_wait();
	expect_sharing();
	expect_own();
	for (int i = 0; i <= CHILDREN; i++)
		shared->go[i] = 1;
	for (int i = 0; i < 2000 && shared->checked < CHILDREN + 1; i++)
		sleep_ms(5);
	EQUAL(shared->checked, CHILDREN + 1, "descendants that have looked");
	EQUAL(shared->failures, 0, "failures of descendants");
	expect_growth();
	expect_pages(50, 1, 0, "what descendants have just written to");
	while (wait(NULL) > 0)
		;
	return verdict("cow");
}
