/*
 * Shared by all targets: a target prepares something, prints "ready", is frozen, goes on (or is
 * resumed from the file), gets SIGUSR1, and judges itself: "PASS name" and exit code 0, or one
 * "FAIL" line for each thing that differs and exit code 1.
 */
#ifndef JUDGE_H
#define JUDGE_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNUSED __attribute__((unused))

struct judge_case {
	const char *name;
	void (*prepare)(void);
	void (*check)(void);
};

static const char *judge_subject = "";
static int judge_failures;
static pid_t judge_pid;
static volatile sig_atomic_t judge_told;

/* Says one line on standard output in one write, so that threads do not mix. */
static UNUSED __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	char line[1024];
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(line, sizeof(line) - 1, format, list);
	va_end(list);
	if (length > (int)sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	if (write(1, line, length) != length)
		_exit(3);
}

#define FAIL(format, ...) \
	do { \
		__atomic_add_fetch(&judge_failures, 1, __ATOMIC_SEQ_CST); \
		say("FAIL %s: " format " (%s:%d)", judge_subject, ##__VA_ARGS__, __FILE__, __LINE__); \
	} while (0)

#define CHECK(condition, format, ...) \
	do { \
		if (!(condition)) \
			FAIL(format, ##__VA_ARGS__); \
	} while (0)

#define EQUAL(got, want, what) \
	do { \
		long long got_ = (long long)(got), want_ = (long long)(want); \
		if (got_ != want_) \
			FAIL("%s is %lld (0x%llx), expected %lld (0x%llx)", what, got_, got_, want_, \
			     want_); \
	} while (0)

#define SAME_TEXT(got, want, what) \
	do { \
		const char *got_ = (got), *want_ = (want); \
		if (strcmp(got_, want_) != 0) \
			FAIL("%s is \"%s\", expected \"%s\"", what, got_, want_); \
	} while (0)

/* A step of the preparation that must work: otherwise the target cannot judge anything. */
#define MUST(expression) \
	({ \
		__typeof__(expression) must_ = (expression); \
		if ((long)must_ == -1) { \
			say("CANNOT %s: %s: %s (%s:%d)", judge_subject, #expression, strerror(errno), \
			    __FILE__, __LINE__); \
			exit(2); \
		} \
		must_; \
	})

/* This machine cannot show it: the harness counts the test as skipped, with the reason. */
#define CANNOT(format, ...) \
	do { \
		say("SKIP %s: " format, judge_subject, ##__VA_ARGS__); \
		exit(77); \
	} while (0)

static UNUSED int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static UNUSED void sleep_ms(long ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		;
}

static void judge_on_signal(int signo)
{
	(void)signo;
	judge_told = 1;
}

static UNUSED void ready(void)
{
	struct sigaction action = {.sa_handler = judge_on_signal, .sa_flags = SA_RESTART};

	judge_pid = getpid();
	sigaction(SIGUSR1, &action, NULL);
	say("ready");
}

/* Returns once SIGUSR1 has come; until then a line now and then shows that it lives. */
static UNUSED void judge_wait(void)
{
	for (int i = 0; !judge_told; i++) {
		if (i % 20 == 0)
			say("beat %d", i / 20);
		sleep_ms(5);
	}
	EQUAL(getpid(), judge_pid, "getpid()");
	EQUAL(syscall(SYS_getpid), judge_pid, "the kernel's pid");
}

static UNUSED int verdict(const char *name)
{
	if (judge_failures == 0)
		say("PASS %s", name);
	return judge_failures == 0 ? 0 : 1;
}

/* Runs the cases named on the command line, all of them when none is named, in one process. */
static UNUSED int judge_cases(int argc, char **argv, const struct judge_case *cases, size_t count)
{
	int chosen = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < count; i++) {
			int wanted = argc < 2;

			for (int a = 1; a < argc; a++)
				wanted |= strcmp(argv[a], cases[i].name) == 0;
			if (!wanted)
				continue;
			chosen++;
			judge_subject = cases[i].name;
			if (pass == 0)
				cases[i].prepare();
			else
				cases[i].check();
		}
		if (chosen == 0) {
			for (size_t i = 0; i < count; i++)
				say("%s", cases[i].name);
			return 2;
		}
		if (pass == 0) {
			ready();
			judge_wait();
		}
	}
	return verdict(argc > 1 ? argv[1] : argv[0]);
}

/* Reads a small file as text, without its last newline; "" when it cannot be read. */
static UNUSED const char *slurp(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got;

	while (fd >= 0 && length < size - 1 && (got = read(fd, buffer + length, size - 1 - length)) > 0)
		length += got;
	if (fd >= 0)
		close(fd);
	if (length > 0 && buffer[length - 1] == '\n')
		length--;
	buffer[length] = 0;
	return buffer;
}

/* Bytes that depend on their place, so that a shift or a swap is seen. */
static UNUSED unsigned char pattern_at(uint64_t seed, uint64_t position)
{
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15ull ^ (position + 1) * 0xbf58476d1ce4e5b9ull;

	return (x >> 29 ^ x >> 47) & 0xff;
}

static UNUSED void pattern_fill(void *at, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)at)[i] = pattern_at(seed, i);
}

/* Index of the first byte that differs, -1 when none does. */
static UNUSED ssize_t pattern_differs(const void *at, size_t size, uint64_t seed)
{
	for (size_t i = 0; i < size; i++)
		if (((const unsigned char *)at)[i] != pattern_at(seed, i))
			return i;
	return -1;
}

#define SAME_PATTERN(at, size, seed, what) \
	do { \
		ssize_t at_ = pattern_differs(at, size, seed); \
		CHECK(at_ == -1, "%s differs at byte %zd", what, at_); \
	} while (0)

#endif
