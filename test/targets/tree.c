/* A parent and its children: ids, groups, sessions, ended ones, and everything that relatives share. */
#include "judge.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct shared {
	volatile int grandparent, group, session, echo_parent;
	volatile pid_t grandchild;
};

static struct shared *shared;
static int to_child[2], from_child[2], pair[2], file;
static pid_t child, leader, sessioned, ended, killed;

/* Answers each byte with the next one; says who its parent is; ends when the pipe does. */
static void echo(void)
{
	char byte;

	while (read(to_child[0], &byte, 1) == 1) {
		shared->echo_parent = getppid();
		byte++;
		if (write(from_child[1], &byte, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static pid_t make(void (*be)(void))
{
	pid_t pid = MUST(fork());

	if (pid == 0) {
		close(to_child[1]);
		be();
	}
	return pid;
}

static void idle(void)
{
	for (;;)
		pause();
}

static void lead_group(void)
{
	pid_t member;

	setpgid(0, 0);
	member = fork();
	if (member == 0)
		idle();
	shared->grandchild = member;
	shared->group = 1;
	idle();
}

static void lead_session(void)
{
	setsid();
	shared->session = 1;
	idle();
}

static void end_with_42(void)
{
	_exit(42);
}

static void die(void)
{
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
}

/* Reads the shared file's next byte through the offset that it has in common with its parent. */
static void read_shared(void)
{
	char byte;

	while (read(pair[1], &byte, 1) == 1) {
		if (read(file, &byte, 1) != 1 || write(pair[1], &byte, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void ask(char question)
{
	char answer = 0;

	EQUAL(write(to_child[1], &question, 1), 1, "writing to the child");
	EQUAL(read(from_child[0], &answer, 1), 1, "reading from the child");
	EQUAL(answer, question + 1, "the child's answer");
	EQUAL(shared->echo_parent, getpid(), "the child's parent");
}

static void expect_shared_offset(void)
{
	char byte = 'x', got = 0;

	EQUAL(read(file, &got, 1), 1, "reading the file");
	EQUAL(got, 'c', "the parent's byte");
	EQUAL(write(pair[0], &byte, 1), 1, "asking the reader");
	EQUAL(read(pair[0], &got, 1), 1, "hearing the reader");
	EQUAL(got, 'd', "the child's byte, behind the parent's");
	EQUAL(lseek(file, 0, SEEK_CUR), 4, "the common offset");
}

static void expect_ended(void)
{
	int status = 0;

	EQUAL(waitpid(ended, &status, WNOHANG), ended, "the child that ended");
	EQUAL(status, 42 << 8, "its status");
	EQUAL(waitpid(killed, &status, WNOHANG), killed, "the child that was killed");
	EQUAL(status, SIGTERM, "its status");
	EQUAL(waitpid(-1, &status, WNOHANG), 0, "a child that lives");
}

static void expect_groups(void)
{
	EQUAL(getpgid(child), getpgrp(), "the group of a child");
	EQUAL(getpgid(leader), leader, "the group of its leader");
	EQUAL(getpgid(shared->grandchild), leader, "the group of a member");
	EQUAL(getsid(sessioned), sessioned, "the session of its leader");
	EQUAL(getsid(child), getsid(0), "the session of a child");
}

static void end_all(void)
{
	int status;

	kill(shared->grandchild, SIGKILL);
	kill(leader, SIGKILL);
	kill(sessioned, SIGKILL);
	close(to_child[1]);
	close(pair[0]);
	EQUAL(waitpid(child, &status, 0), child, "waiting for a child");
	EQUAL(status, 0, "how it ended");
	while (waitpid(-1, &status, 0) > 0)
		;
	EQUAL(errno, ECHILD, "when all have ended");
}

int main(void)
{
	siginfo_t info;
	pid_t reader;

	judge_subject = "tree";
	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = MUST(mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	MUST(pipe(to_child));
	MUST(pipe(from_child));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	file = MUST(open("shared-offset", O_RDWR | O_CREAT | O_TRUNC, 0600));
	EQUAL(write(file, "abcdef", 6), 6, "write");
	lseek(file, 2, SEEK_SET);
	child = make(echo);
	reader = MUST(fork());
	if (reader == 0) {
		close(to_child[1]);
		close(pair[0]);
		read_shared();
	}
	close(pair[1]);
	leader = make(lead_group);
	sessioned = make(lead_session);
	ended = make(end_with_42);
	killed = make(die);
	MUST(waitid(P_PID, ended, &info, WEXITED | WNOWAIT));
	MUST(waitid(P_PID, killed, &info, WEXITED | WNOWAIT));
	while (!shared->group || !shared->session)
		sleep_ms(1);
	ask('a');
	ready();
	judge_wait();
	shared->grandparent = 7;
	ask('p');
	expect_shared_offset();
	expect_ended();
	expect_groups();
	end_all();
	return verdict("tree");
}
