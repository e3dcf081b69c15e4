/*
 * Processes that share a descriptor table or a working directory without being threads of one (clone(2) with CLONE_FILES, CLONE_FS):
 * what one opens, closes or changes into, the other has.
 */
#include "judge.h"
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum order { NONE, OPEN, CLOSE, LOOK, ENTER, UMASK, STOP };

struct shared {
	volatile int order[4], done[4], answer[4];
};

static struct shared *shared;
static pid_t child[4];
static int held;

static void obey(int me)
{
	struct stat st;

	for (;;) {
		int answer = 0;

		while (shared->order[me] == NONE)
			sleep_ms(2);
		switch (shared->order[me]) {
		case OPEN:
			answer = open("shared-file", O_RDWR | O_CREAT, 0600);
			break;
		case CLOSE:
			answer = close(held);
			break;
		case LOOK:
			answer = fstat(held, &st) == 0;
			break;
		case ENTER:
			answer = mkdir("inside", 0700) + chdir("inside");
			break;
		case UMASK:
			answer = (int)umask(0027);
			break;
		case STOP:
			_exit(0);
		}
		shared->answer[me] = answer;
		shared->order[me] = NONE;
		shared->done[me]++;
	}
}

static int tell(int who, enum order order)
{
	int before = shared->done[who];

	shared->order[who] = order;
	for (int i = 0; i < 5000 && shared->done[who] == before; i++)
		sleep_ms(1);
	CHECK(shared->done[who] == before + 1, "child %d does not answer", who);
	return shared->answer[who];
}

static pid_t make(unsigned long flags, int me)
{
	pid_t pid = MUST((pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL));

	if (pid == 0) {
		if (me == 0) { /* a grandchild with both, and one with a table of its own */
			child[2] = make(CLONE_FILES | CLONE_FS, 2);
			child[3] = make(0, 3);
		}
		obey(me);
	}
	return pid;
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void expect_one_table(void)
{
	int opened = tell(0, OPEN), here;

	CHECK(opened > 2 && is_open(opened), "what a child has opened is not open here: %d", opened);
	EQUAL(write(opened, "x", 1), 1, "writing to it");
	here = open("/dev/null", O_RDONLY);
	CHECK(here != opened, "its number is free");
	EQUAL(tell(3, LOOK), 1, "a descriptor that a copy of the table has, too");
	EQUAL(tell(2, CLOSE), 0, "closing in a grandchild");
	CHECK(!is_open(held), "what a grandchild has closed is open here");
	EQUAL(tell(0, LOOK), 0, "what a grandchild has closed, in a child");
	EQUAL(tell(1, LOOK), 1, "and where the table is another");
	EQUAL(tell(3, LOOK), 1, "and in a copy");
	close(opened);
	EQUAL(dup2(here, held), held, "dup2");
	EQUAL(tell(0, LOOK), 1, "what is opened again");
}

static void expect_one_directory(void)
{
	char path[4096], before[4096];

	CHECK(getcwd(before, sizeof(before)) != NULL, "getcwd");
	EQUAL(tell(1, ENTER), 0, "changing the directory");
	CHECK(getcwd(path, sizeof(path)) != NULL && strstr(path, "/inside") != NULL, "the directory is %s", path);
	EQUAL(tell(1, UMASK), 0026, "the mask");
	EQUAL(umask(0077), 0027, "the mask that a child has set");
	MUST(chdir(before));
	rmdir("inside");
}

int main(void)
{
	judge_subject = "shares";
	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = MUST(mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	held = MUST(open("/dev/zero", O_RDONLY));
	umask(0026);
	child[0] = make(CLONE_FILES, 0);
	child[1] = make(CLONE_FS, 1);
	for (int i = 0; i < 4; i++)
		tell(i, LOOK);
	ready();
	judge_wait();
	expect_one_table();
	expect_one_directory();
	for (int i = 3; i >= 0; i--)
		shared->order[i] = STOP;
	for (int i = 0; i < 2; i++)
		EQUAL(waitpid(child[i], NULL, 0), child[i], "waiting for a child");
	return verdict("shares");
}
