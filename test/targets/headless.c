/* A process whose first thread has ended: the others go on, with a child, descriptors and memory of the process. */
#include "judge.h"
#include <sys/prctl.h>
#include <sys/wait.h>

static volatile long counts[2];
static pid_t tids[3], child;
static int file;
static pthread_t counter;

static char state_of_thread(pid_t tid)
{
	char path[64], text[256], *at;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	slurp(path, text, sizeof(text));
	at = strrchr(text, ')');
	return at ? at[2] : '?';
}

static void *count(void *unused)
{
	prctl(PR_SET_NAME, "counter");
	tids[2] = gettid();
	for (;;) {
		counts[0]++;
		sleep_ms(2);
	}
	return unused;
}

static void *judge(void *unused)
{
	char name[16] = "", text[8] = "";
	long before;

	tids[1] = gettid();
	while (state_of_thread(tids[0]) != 'Z')
		sleep_ms(1);
	pthread_create(&counter, NULL, count, NULL);
	while (counts[0] < 3)
		sleep_ms(1);
	ready();
	judge_wait();
	before = counts[0];
	sleep_ms(100);
	EQUAL(state_of_thread(tids[0]), 'Z', "the state of the first thread");
	EQUAL(getpid(), tids[0], "the pid");
	EQUAL(gettid(), tids[1], "the thread id");
	CHECK(counts[0] > before, "the other thread stands still");
	EQUAL(syscall(SYS_tgkill, getpid(), tids[2], 0), 0, "a signal to the other thread");
	pthread_getname_np(counter, name, sizeof(name));
	SAME_TEXT(name, "counter", "its name");
	EQUAL(pread(file, text, 4, 0), 4, "reading the file");
	SAME_TEXT(text, "text", "the file");
	EQUAL(getsid(child), getsid(0), "the session of the child");
	kill(child, SIGTERM);
	EQUAL(waitpid(child, NULL, 0), child, "the child's end");
	exit(verdict("headless"));
	return unused;
}

int main(void)
{
	pthread_t thread;

	judge_subject = "headless";
	setvbuf(stdout, NULL, _IOLBF, 0);
	tids[0] = gettid();
	file = MUST(open("headless-file", O_RDWR | O_CREAT | O_TRUNC, 0600));
	EQUAL(write(file, "text", 4), 4, "write");
	child = MUST(fork());
	if (child == 0) {
		signal(SIGUSR1, SIG_DFL);
		for (;;)
			pause();
	}
	pthread_create(&thread, NULL, judge, NULL);
	syscall(SYS_exit, 0);
}
