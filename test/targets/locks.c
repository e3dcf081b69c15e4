/* File locks: a child that opens the file anew must find it locked, as it was. */
#include "judge.h"
#include <sys/file.h>
#include <sys/wait.h>

static int fd;

static void make(void)
{
	fd = MUST(open("locked", O_RDWR | O_CREAT, 0644));
	MUST(ftruncate(fd, 1000));
}

static int set(int command, short type, off_t start, off_t length)
{
	struct flock lock = {.l_type = type, .l_start = start, .l_len = length};

	return fcntl(fd, command, &lock);
}

/* What another process is told about a range: F_UNLCK when it is free. */
static int seen_by_other(int command, off_t start, off_t length)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_start = start, .l_len = length};
		int other = open("locked", O_RDWR);

		if (fcntl(other, command, &lock) == -1)
			_exit(99);
		_exit(lock.l_type);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static int flock_by_other(int kind)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		int other = open("locked", O_RDWR);

		_exit(flock(other, kind | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? 1 : 2);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static void posix_prepare(void)
{
	make();
	MUST(set(F_SETLK, F_WRLCK, 10, 20));
	MUST(set(F_SETLK, F_RDLCK, 100, 50));
	MUST(set(F_SETLK, F_WRLCK, 500, 0));
}

static void posix_check(void)
{
	EQUAL(seen_by_other(F_GETLK, 0, 10), F_UNLCK, "the bytes 0-9");
	EQUAL(seen_by_other(F_GETLK, 10, 1), F_WRLCK, "byte 10");
	EQUAL(seen_by_other(F_GETLK, 29, 1), F_WRLCK, "byte 29");
	EQUAL(seen_by_other(F_GETLK, 30, 70), F_UNLCK, "the bytes 30-99");
	EQUAL(seen_by_other(F_GETLK, 149, 1), F_RDLCK, "byte 149");
	EQUAL(seen_by_other(F_GETLK, 5000, 1), F_WRLCK, "byte 5000");
	EQUAL(set(F_SETLK, F_UNLCK, 0, 0), 0, "unlock");
	EQUAL(seen_by_other(F_GETLK, 0, 0), F_UNLCK, "all bytes after the unlock");
}

static void description_prepare(void)
{
	make();
	MUST(set(F_OFD_SETLK, F_WRLCK, 10, 20));
}

static void description_check(void)
{
	int other = open("locked", O_RDWR), mine = fd;

	EQUAL(seen_by_other(F_GETLK, 15, 1), F_WRLCK, "byte 15");
	fd = other;
	CHECK(set(F_OFD_SETLK, F_WRLCK, 12, 1) == -1, "another description of this process gets it");
	fd = mine;
	EQUAL(set(F_OFD_SETLK, F_UNLCK, 0, 0), 0, "unlock");
	EQUAL(seen_by_other(F_GETLK, 15, 1), F_UNLCK, "byte 15 after the unlock");
}

static void flock_prepare(void)
{
	make();
	MUST(flock(fd, LOCK_EX));
}

static void flock_check(void)
{
	EQUAL(flock_by_other(LOCK_SH), 1, "a shared lock by another process");
	EQUAL(flock(fd, LOCK_SH), 0, "to a shared lock");
	EQUAL(flock_by_other(LOCK_SH), 0, "a shared lock by another process");
	EQUAL(flock_by_other(LOCK_EX), 1, "an exclusive lock by another process");
	EQUAL(flock(fd, LOCK_UN), 0, "unlock");
	EQUAL(flock_by_other(LOCK_EX), 0, "an exclusive lock after the unlock");
}

static const struct judge_case cases[] = {
	{"posix", posix_prepare, posix_check},
	{"description", description_prepare, description_check},
	{"flock", flock_prepare, flock_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
