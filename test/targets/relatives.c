/*
 * Relatives of an uncommon kind: orphans taken in by a subreaper, sessions and groups whose leaders have ended, children older than
 * their parent's session, stopped ones, and ends of every kind that nobody has asked for yet.
 */
#include "judge.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* What a process knows of itself, and says when it is asked (SIGUSR2). */
struct self {
	volatile pid_t pid, ppid, pgid, sid;
	volatile int asked;
};

struct shared {
	struct self who[8];
	volatile int step, children;
	volatile pid_t adopted;
};

static struct shared *shared;
static struct self before[8];
static pid_t child;
static int self_index;

static void tell(int signo)
{
	struct self *s = &shared->who[self_index];

	(void)signo;
	s->pid = getpid();
	s->ppid = getppid();
	s->pgid = getpgrp();
	s->sid = getsid(0);
	s->asked++;
}

static void live_as(int index)
{
	self_index = index;
	signal(SIGUSR2, tell);
	signal(SIGUSR1, SIG_DFL);
	tell(0);
	for (;;)
		pause();
}

static void await_self(int index, int asked)
{
	for (int i = 0; shared->who[index].asked < asked && i < 5000; i++)
		sleep_ms(1);
	if (shared->who[index].asked < asked)
		FAIL("relative %d does not answer", index);
}

static void remember(int index)
{
	await_self(index, 1);
	before[index] = shared->who[index];
}

/* For one that lives and did not have to wait for its parent yet: asks it who it is now. */
static void expect_self(int index, const char *what)
{
	struct self *now = &shared->who[index];
	int asked = now->asked;

	judge_subject = what;
	if (kill(before[index].pid, SIGUSR2) != 0) {
		FAIL("relative %d with pid %d is not there: %s", index, before[index].pid, strerror(errno));
		return;
	}
	await_self(index, asked + 1);
	EQUAL(now->pid, before[index].pid, "its pid");
	EQUAL(now->ppid, before[index].ppid, "its parent");
	EQUAL(now->pgid, before[index].pgid, "its group");
	EQUAL(now->sid, before[index].sid, "its session");
	EQUAL(getsid(now->pid), before[index].sid, "its session as others see it");
	EQUAL(getpgid(now->pid), before[index].pgid, "its group as others see it");
}

static void expect_end(pid_t pid, int status, const char *what)
{
	int got = -1;

	EQUAL(waitpid(pid, &got, WNOHANG), pid, what);
	EQUAL(got, status, what);
}

static void end_one(int index)
{
	kill(before[index].pid, SIGKILL);
	EQUAL(waitpid(before[index].pid, NULL, 0), before[index].pid, "a child's end");
}

static void adopt(void)
{
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
}

static void wait_for(pid_t pid)
{
	EQUAL(waitpid(pid, NULL, 0), pid, "the one in between");
}

/* An orphan in our own session, in the group of its parent, which has ended. */
static void prepare_orphan(void)
{
	pid_t between;

	adopt();
	between = MUST(fork());
	if (between == 0) {
		setpgid(0, 0);
		if (fork() == 0)
			live_as(0);
		if (fork() == 0)
			live_as(1);
		await_self(0, 1);
		await_self(1, 1);
		_exit(0);
	}
	wait_for(between);
	kill(shared->who[0].pid, SIGUSR2);
	kill(shared->who[1].pid, SIGUSR2);
	await_self(0, 2);
	await_self(1, 2);
	remember(0);
	remember(1);
	EQUAL(before[0].ppid, getpid(), "the parent of an orphan");
	EQUAL(before[0].pgid, between, "the group of an orphan");
}

static void check_orphan(void)
{
	int reaper = 0;

	expect_self(0, "orphan");
	expect_self(1, "second orphan of the group");
	EQUAL(kill(-before[0].pgid, 0), 0, "a signal to the group");
	prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0);
	EQUAL(reaper, 1, "subreaper");
	end_one(0);
	end_one(1);
	EQUAL(waitpid(-1, NULL, WNOHANG), -1, "a child that nobody made");
}

/* A daemon: its session's leader has ended; it has a child, and a group of its own in that session. */
static void prepare_daemon(void)
{
	pid_t between;

	adopt();
	between = MUST(fork());
	if (between == 0) {
		setsid();
		if (fork() == 0) {
			if (fork() == 0) {
				setpgid(0, 0);
				if (fork() == 0)
					live_as(2);
				await_self(2, 1);
				_exit(3); /* not waited for */
			}
			await_self(2, 1);
			live_as(0);
		}
		await_self(0, 1);
		if (fork() == 0)
			live_as(1);
		await_self(1, 1);
		_exit(0);
	}
	wait_for(between);
	sleep_ms(30);
	for (int i = 0; i < 3; i++) {
		int asked = shared->who[i].asked;

		kill(shared->who[i].pid, SIGUSR2);
		await_self(i, asked + 1);
		remember(i);
		EQUAL(before[i].sid, between, "the session of a daemon");
		CHECK(before[i].ppid == getpid(), "relative %d is not ours", i);
	}
}

static void check_daemon(void)
{
	int status = 0;

	for (int i = 0; i < 3; i++)
		expect_self(i, "daemon");
	CHECK(before[2].pgid != before[0].pgid, "a group of its own");
	EQUAL(kill(before[0].sid, 0), -1, "the session leader, which had ended");
	for (int i = 0; i < 3; i++)
		end_one(i);
	CHECK(waitpid(-1, &status, 0) > 0, "the daemon's ended child is not ours now");
	EQUAL(status, 3 << 8, "its end");
	EQUAL(waitpid(-1, NULL, WNOHANG), -1, "a child that nobody made");
}

/* The leader of a session that has ended, but was not waited for; its session lives on. */
static void prepare_leader(void)
{
	siginfo_t info;

	adopt();
	child = MUST(fork());
	if (child == 0) {
		setsid();
		if (fork() == 0)
			live_as(0);
		await_self(0, 1);
		_exit(5);
	}
	MUST(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	kill(shared->who[0].pid, SIGUSR2);
	await_self(0, 2);
	remember(0);
	EQUAL(before[0].sid, child, "the session of a daemon");
}

static void check_leader(void)
{
	expect_self(0, "member");
	EQUAL(getsid(child), child, "the session of its leader");
	expect_end(child, 5 << 8, "the end of a session leader");
	end_one(0);
}

/* Living leaders: one with an orphan of its session that belongs to us, and one that is younger than its own child. */
static void prepare_sessions(void)
{
	adopt();
	child = MUST(fork());
	if (child == 0) {
		pid_t between;

		setsid();
		between = fork();
		if (between == 0) {
			if (fork() == 0)
				live_as(1);
			await_self(1, 1);
			_exit(0);
		}
		wait_for(between);
		live_as(0);
	}
	await_self(0, 1);
	if (MUST(fork()) == 0) {
		pid_t older = fork();

		if (older == 0)
			live_as(3);
		await_self(3, 1);
		setsid();
		if (fork() == 0)
			live_as(4);
		await_self(4, 1);
		live_as(2);
	}
	await_self(2, 1);
	for (int i = 0; i < 5; i++) {
		int asked = shared->who[i].asked;

		kill(shared->who[i].pid, SIGUSR2);
		await_self(i, asked + 1);
		remember(i);
	}
	EQUAL(before[1].sid, child, "the session of an orphan");
	EQUAL(before[1].ppid, getpid(), "the parent of an orphan");
	EQUAL(before[3].sid, getsid(0), "the session of an older child");
	EQUAL(before[4].sid, before[2].pid, "the session of a younger child");
}

static void check_sessions(void)
{
	/* the root's own session may be another one after a resume */
	before[3].sid = getsid(0);
	before[3].pgid = getpgrp();
	for (int i = 0; i < 5; i++)
		expect_self(i, i < 2 ? "session" : "session younger than a child");
	end_one(0);
	end_one(1);
	end_one(2);
	kill(before[3].pid, SIGKILL);
	kill(before[4].pid, SIGKILL);
	EQUAL(waitpid(before[3].pid, NULL, 0), before[3].pid, "an orphan that has become ours");
	EQUAL(waitpid(before[4].pid, NULL, 0), before[4].pid, "an orphan that has become ours");
}

/* Two that cannot be made again: in a session, and in a group, to which nobody can lead them. */
static void prepare_distant(void)
{
	adopt();
	if (MUST(fork()) == 0) {
		if (fork() == 0) {
			setsid();
			if (fork() == 0) {
				if (fork() == 0)
					live_as(0);
				_exit(0);
			}
			wait(NULL);
			live_as(1);
		}
		live_as(2);
	}
	child = MUST(fork());
	if (child == 0) {
		setpgid(0, 0);
		if (fork() == 0)
			live_as(3);
		await_self(3, 1);
		setpgid(0, getpgid(getppid()));
		live_as(4);
	}
	for (int i = 0; i < 5; i++) {
		int asked;

		await_self(i, 1);
		asked = shared->who[i].asked;
		kill(shared->who[i].pid, SIGUSR2);
		await_self(i, asked + 1);
		remember(i);
	}
}

static void check_distant(void)
{
	for (int i = 1; i < 5; i++)
		if (i != 3)
			expect_self(i, "distant");
	for (int i = 0; i < 5; i++)
		kill(before[i].pid, SIGKILL);
	for (int i = 0; i < 5; i++)
		CHECK(wait(NULL) > 0, "one of them is not ours now");
}

/* Descriptors of what exists only when the whole tree does: files in /proc, and pidfds, in more than one process. */
static int status_of_child, pidfd_of_child;

static pid_t pid_in(int fd)
{
	char text[2048] = "", *at;

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return -1;
	at = strstr(text, "\nPid:\t");
	return at ? atoi(at + 6) : -2;
}

static int is_pidfd_of(int fd, pid_t pid)
{
	char path[64], text[512], *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	slurp(path, text, sizeof(text));
	at = strstr(text, "Pid:\t");
	return at && atoi(at + 5) == pid;
}

static volatile int own_status, own_pidfd;

static void look_at_own(int signo)
{
	(void)signo;
	shared->step = pid_in(own_status) == getpid() && is_pidfd_of(own_pidfd, getppid()) ? 1 : 2;
}

static void prepare_proc(void)
{
	char path[64];

	child = MUST(fork());
	if (child == 0) {
		own_status = open("/proc/self/status", O_RDONLY);
		own_pidfd = syscall(SYS_pidfd_open, getppid(), 0);
		signal(SIGHUP, look_at_own);
		live_as(0);
	}
	await_self(0, 1);
	snprintf(path, sizeof(path), "/proc/%d/status", child);
	status_of_child = MUST(open(path, O_RDONLY));
	pidfd_of_child = MUST(syscall(SYS_pidfd_open, child, 0));
	remember(0);
}

static void check_proc(void)
{
	EQUAL(pid_in(status_of_child), child, "whose status it is");
	CHECK(is_pidfd_of(pidfd_of_child, child), "the pidfd is not the child's");
	kill(child, SIGHUP);
	for (int i = 0; i < 2000 && shared->step == 0; i++)
		sleep_ms(1);
	EQUAL(shared->step, 1, "the child's own descriptors");
	EQUAL(syscall(SYS_pidfd_send_signal, pidfd_of_child, SIGKILL, NULL, 0), 0, "a signal through the pidfd");
	wait_for(child);
}

/* A subreaper further down. */
static void prepare_reaper(void)
{
	child = MUST(fork());
	if (child == 0) {
		pid_t between;

		adopt();
		between = fork();
		if (between == 0) {
			while (shared->step == 0)
				sleep_ms(1);
			if (fork() == 0) {
				while (getppid() == getpgrp())
					sleep_ms(1);
				sleep_ms(50);
				shared->adopted = getppid();
				_exit(0);
			}
			_exit(0);
		}
		while (shared->children < 2)
			if (wait(NULL) > 0)
				shared->children++;
		live_as(0);
	}
}

static void check_reaper(void)
{
	shared->step = 1;
	for (int i = 0; i < 2000 && shared->children < 2; i++)
		sleep_ms(1);
	EQUAL(shared->adopted, child, "who takes in an orphan");
	EQUAL(shared->children, 2, "whom the subreaper has waited for");
	kill(child, SIGKILL);
	wait_for(child);
}

static volatile int stops_told;

static void on_child(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	if (info->si_code == CLD_STOPPED)
		stops_told++;
}

static pid_t stopped_known, stopped_news;

/* Two that are stopped: of one the parent has been told. */
static void prepare_stopped(void)
{
	struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
	siginfo_t info;
	int status;

	stopped_known = MUST(fork());
	if (stopped_known == 0)
		live_as(0);
	stopped_news = MUST(fork());
	if (stopped_news == 0)
		live_as(1);
	await_self(0, 1);
	await_self(1, 1);
	kill(stopped_known, SIGSTOP);
	kill(stopped_news, SIGSTOP);
	EQUAL(waitpid(stopped_known, &status, WUNTRACED), stopped_known, "the first stop");
	MUST(waitid(P_PID, stopped_news, &info, WSTOPPED | WNOWAIT));
	sigaction(SIGCHLD, &action, NULL);
	stops_told = 0;
	remember(0);
	remember(1);
}

static char state_of(pid_t pid)
{
	char path[64], text[256], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	slurp(path, text, sizeof(text));
	at = strrchr(text, ')');
	return at ? at[2] : '?';
}

static void check_stopped(void)
{
	int status = 0;

	EQUAL(stops_told, 0, "how many stops are told once more");
	EQUAL(state_of(stopped_known), 'T', "the state of the first");
	EQUAL(state_of(stopped_news), 'T', "the state of the second");
	EQUAL(waitpid(stopped_known, &status, WUNTRACED | WNOHANG), 0, "a stop that was told before");
	EQUAL(waitpid(stopped_news, &status, WUNTRACED | WNOHANG), stopped_news, "a stop that was not told yet");
	EQUAL(status, SIGSTOP << 8 | 0x7f, "how it was stopped");
	kill(stopped_known, SIGCONT);
	kill(stopped_news, SIGCONT);
	expect_self(0, "stopped");
	expect_self(1, "stopped");
	end_one(0);
	end_one(1);
}

static const int ends[] = {0, 1, 255, -SIGKILL, -SIGTERM, -SIGSEGV, -SIGABRT, -SIGUSR1, -40};
static pid_t ended[COUNT(ends)];
static int ended_status[COUNT(ends)];

/* Ends of every kind; some would dump core. */
static void prepare_ends(void)
{
	struct rlimit none = {0, 0};

	for (size_t i = 0; i < COUNT(ends); i++) {
		siginfo_t info;

		ended[i] = MUST(fork());
		if (ended[i] == 0) {
			setrlimit(RLIMIT_CORE, &none);
			if (ends[i] >= 0)
				_exit(ends[i]);
			signal(-ends[i], SIG_DFL);
			kill(getpid(), -ends[i]);
			_exit(99);
		}
		MUST(waitid(P_PID, ended[i], &info, WEXITED | WNOWAIT));
		ended_status[i] = ends[i] >= 0 ? ends[i] << 8 : -ends[i];
	}
}

static void check_ends(void)
{
	for (size_t i = 0; i < COUNT(ends); i++)
		expect_end(ended[i], ended_status[i], "an end that nobody had asked for");
	EQUAL(waitpid(-1, NULL, WNOHANG), -1, "a child that nobody made");
}

/* Takes a while to be resumed, after its children have been forked: they share none of this memory. */
static void prepare_big(void)
{
	size_t size = 160 << 20;
	char *memory;

	for (int i = 0; i < 2; i++)
		if (MUST(fork()) == 0)
			live_as(i);
	await_self(0, 1);
	await_self(1, 1);
	remember(0);
	remember(1);
	memory = MUST(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (size_t i = 0; i < size; i += 4096)
		pattern_fill(memory + i, 64, i);
}

static void check_big(void)
{
	expect_self(0, "big");
	expect_self(1, "big");
	end_one(0);
	end_one(1);
}

/* Many: each group of ten has a parent of its own; every one counts, and knows who it is. */
#define CROWD 200

static pid_t (*crowd)[3]; /* pid, parent, count */

static void count_on(int index)
{
	signal(SIGUSR1, SIG_DFL);
	crowd[index][0] = getpid();
	crowd[index][1] = getppid();
	for (;;) {
		if (getpid() == crowd[index][0] && getppid() == crowd[index][1])
			crowd[index][2]++;
		sleep_ms(20);
	}
}

static void prepare_crowd(void)
{
	crowd = MUST(mmap(NULL, CROWD * sizeof(*crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < CROWD; i += 10) {
		if (MUST(fork()) != 0)
			continue;
		for (int k = 1; k < 10; k++)
			if (MUST(fork()) == 0)
				count_on(i + k);
		count_on(i);
	}
	for (int i = 0; i < CROWD; i++)
		while (((volatile pid_t *)crowd[i])[2] == 0)
			sleep_ms(1);
}

static void check_crowd(void)
{
	pid_t counted[CROWD];
	int alive = 0;

	for (int i = 0; i < CROWD; i++)
		counted[i] = ((volatile pid_t *)crowd[i])[2];
	sleep_ms(1500);
	for (int i = 0; i < CROWD; i++)
		alive += ((volatile pid_t *)crowd[i])[2] > counted[i];
	EQUAL(alive, CROWD, "how many count on, with their pid and parent");
	for (int i = 0; i < CROWD; i++)
		kill(crowd[i][0], SIGKILL);
	for (int i = 0; i < CROWD; i += 10)
		wait_for(crowd[i][0]);
}

static const struct judge_case cases[] = {
	{"orphan", prepare_orphan, check_orphan},	{"daemon", prepare_daemon, check_daemon},
	{"leader", prepare_leader, check_leader},	{"sessions", prepare_sessions, check_sessions},
	{"reaper", prepare_reaper, check_reaper},	{"stopped", prepare_stopped, check_stopped},
	{"ends", prepare_ends, check_ends},		{"big", prepare_big, check_big},
	{"crowd", prepare_crowd, check_crowd},		{"distant", prepare_distant, check_distant},
	{"proc", prepare_proc, check_proc},
};

int main(int argc, char **argv)
{
	shared = MUST(mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	return judge_cases(argc, argv, cases, COUNT(cases));
}
