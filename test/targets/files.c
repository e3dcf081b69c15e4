/*
 * Descriptors of things with a path: regular files, logs that grow, deleted files, directories,
 * devices, /proc and /sys files, FIFOs.
 */
#include "judge.h"
#include <dirent.h>
#include <poll.h>

#define BIG (48u << 20)

static int fd, second, third;
static DIR *folder;
static char seen[64];

static int make(const char *path, int flags, size_t size, uint64_t seed)
{
	char *bytes = malloc(size);
	int made = MUST(open(path, O_RDWR | O_CREAT | O_TRUNC, 0640));

	pattern_fill(bytes, size, seed);
	EQUAL(write(made, bytes, size), (long)size, "write");
	free(bytes);
	if ((flags & O_ACCMODE) == O_RDWR && !(flags & ~O_ACCMODE))
		return made;
	close(made);
	return MUST(open(path, flags));
}

static void expect_flags(int of, int want, const char *what)
{
	int flags = fcntl(of, F_GETFL) & ~0100000 /* O_LARGEFILE */;

	CHECK(flags == want, "%s has the flags 0%o, expected 0%o", what, flags, want);
}

static void expect_pattern(int of, off_t at, size_t size, uint64_t seed)
{
	char *bytes = malloc(size);
	ssize_t differs;

	EQUAL(pread(of, bytes, size, at), (long)size, "pread");
	for (differs = 0; differs < (ssize_t)size; differs++)
		if ((unsigned char)bytes[differs] != pattern_at(seed, at + differs))
			break;
	CHECK(differs == (ssize_t)size, "the content differs at byte %zd", differs);
	free(bytes);
}

static void regular_prepare(void)
{
	fd = make("regular", O_RDONLY | O_NONBLOCK, 10000, 1);
	second = make("regular2", O_RDWR, 5000, 2);
	third = MUST(open("regular2", O_WRONLY | O_DSYNC));
	lseek(fd, 1234, SEEK_SET);
	lseek(second, 4321, SEEK_SET);
	lseek(third, 0, SEEK_END);
}

static void regular_check(void)
{
	EQUAL(lseek(fd, 0, SEEK_CUR), 1234, "the offset");
	EQUAL(lseek(second, 0, SEEK_CUR), 4321, "the offset of the second");
	EQUAL(lseek(third, 0, SEEK_CUR), 5000, "the offset of the third");
	expect_flags(fd, O_RDONLY | O_NONBLOCK, "the first");
	expect_flags(second, O_RDWR, "the second");
	expect_flags(third, O_WRONLY | O_DSYNC, "the third");
	expect_pattern(fd, 0, 10000, 1);
	expect_pattern(second, 0, 5000, 2);
}

/* The original writes on before the copy starts, so that the copy meets a log that has grown. */
static void grown_prepare(void)
{
	fd = MUST(open("log", O_WRONLY | O_CREAT | O_TRUNC, 0644));
	EQUAL(write(fd, "before\n", 7), 7, "write");
}

static void grown_check(void)
{
	struct stat now;

	fstat(fd, &now);
	EQUAL(lseek(fd, 0, SEEK_CUR), now.st_size, "the offset of a log that was at its end");
	EQUAL(write(fd, "after\n", 6), 6, "write");
}

static void append_prepare(void)
{
	fd = MUST(open("append", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644));
	EQUAL(write(fd, "one\n", 4), 4, "write");
}

static void append_check(void)
{
	struct stat now;

	expect_flags(fd, O_WRONLY | O_APPEND, "the descriptor");
	EQUAL(write(fd, "two\n", 4), 4, "write");
	fstat(fd, &now);
	EQUAL(lseek(fd, 0, SEEK_CUR), now.st_size, "the offset after an append");
}

static void path_prepare(void)
{
	close(make("opath", O_RDWR, 100, 3));
	fd = MUST(open("opath", O_PATH | O_CLOEXEC));
	second = MUST(open(".", O_PATH | O_DIRECTORY));
}

static void path_check(void)
{
	struct stat here, there;
	char byte;

	CHECK(read(fd, &byte, 1) == -1 && errno == EBADF, "an O_PATH descriptor can be read");
	EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC, "its close-on-exec");
	EQUAL(fstat(fd, &here), 0, "fstat");
	EQUAL(fstatat(second, "opath", &there, 0), 0, "fstatat below an O_PATH directory");
	EQUAL(here.st_ino, there.st_ino, "the inode");
}

static void deleted_prepare(void)
{
	fd = make("deleted", O_RDWR, 300000, 4);
	lseek(fd, 77777, SEEK_SET);
	unlink("deleted");
	second = MUST(open(".", O_TMPFILE | O_RDWR, 0600));
	EQUAL(write(second, "tmp", 3), 3, "write to an O_TMPFILE");
}

static void deleted_check(void)
{
	struct stat now;
	char text[4] = "";

	fstat(fd, &now);
	EQUAL(now.st_size, 300000, "the size");
	EQUAL(now.st_nlink, 0, "the link count");
	EQUAL(now.st_mode & 07777, 0640 & ~022, "the mode");
	EQUAL(lseek(fd, 0, SEEK_CUR), 77777, "the offset");
	expect_pattern(fd, 0, 300000, 4);
	EQUAL(pwrite(fd, "x", 1, 299999), 1, "pwrite");
	EQUAL(ftruncate(fd, 10), 0, "ftruncate");
	EQUAL(pread(second, text, 3, 0), 3, "pread of the O_TMPFILE");
	SAME_TEXT(text, "tmp", "its content");
	CHECK(access("deleted", F_OK) == -1, "the deleted name is back");
}

static void deleted_big_prepare(void)
{
	fd = MUST(open("deleted-big", O_RDWR | O_CREAT | O_TRUNC, 0600));
	EQUAL(pwrite(fd, "head", 4, 0), 4, "pwrite");
	EQUAL(pwrite(fd, "tail", 4, 6ll << 30), 4, "pwrite");
	char *bytes = malloc(BIG);

	pattern_fill(bytes, BIG, 5);
	EQUAL(pwrite(fd, bytes, BIG, 1 << 30), BIG, "pwrite");
	free(bytes);
	unlink("deleted-big");
}

static void deleted_big_check(void)
{
	struct stat now;
	char text[5] = "";
	char *bytes = malloc(BIG);

	fstat(fd, &now);
	EQUAL(now.st_size, (6ll << 30) + 4, "the size");
	CHECK(now.st_blocks < (256 << 20) / 512, "the holes are filled: %lld blocks",
	      (long long)now.st_blocks);
	EQUAL(pread(fd, text, 4, 6ll << 30), 4, "pread");
	SAME_TEXT(text, "tail", "its end");
	EQUAL(pread(fd, bytes, BIG, 1 << 30), BIG, "pread");
	SAME_PATTERN(bytes, BIG, 5, "the middle");
	free(bytes);
}

static void directory_prepare(void)
{
	char name[32];

	mkdir("folder", 0755);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "folder/entry%d", i);
		close(MUST(open(name, O_CREAT | O_WRONLY, 0644)));
	}
	folder = opendir("folder");
	for (int i = 0; i < 10; i++) {
		struct dirent *entry = readdir(folder);
		int n;

		if (entry && sscanf(entry->d_name, "entry%d", &n) == 1)
			seen[n]++;
	}
	fd = MUST(open("folder", O_RDONLY | O_DIRECTORY));
}

static void directory_check(void)
{
	struct dirent *entry;
	int n;

	while ((entry = readdir(folder)))
		if (sscanf(entry->d_name, "entry%d", &n) == 1)
			seen[n]++;
	for (n = 0; n < 40; n++)
		CHECK(seen[n] == 1, "entry %d was seen %d times", n, seen[n]);
	n = openat(fd, "entry7", O_RDONLY);
	CHECK(n >= 0, "openat below the directory: %s", strerror(errno));
	rewinddir(folder);
	for (n = 0; readdir(folder);)
		n++;
	EQUAL(n, 42, "entries after rewinddir");
}

static void devices_prepare(void)
{
	fd = MUST(open("/dev/null", O_RDWR));
	second = MUST(open("/dev/zero", O_RDONLY));
	third = MUST(open("/dev/urandom", O_RDONLY | O_CLOEXEC));
}

static void devices_check(void)
{
	char byte = 5;
	struct stat now;

	EQUAL(write(fd, "x", 1), 1, "write to /dev/null");
	EQUAL(read(fd, &byte, 1), 0, "read of /dev/null");
	EQUAL(read(second, &byte, 1), 1, "read of /dev/zero");
	EQUAL(byte, 0, "a byte of /dev/zero");
	fstat(third, &now);
	EQUAL(now.st_rdev, (1 << 8) + 9, "the device number of /dev/urandom");
	EQUAL(fcntl(third, F_GETFD), FD_CLOEXEC, "its close-on-exec");
}

static void proc_prepare(void)
{
	char byte[8];

	fd = MUST(open("/proc/self/status", O_RDONLY));
	second = MUST(open("/proc/meminfo", O_RDONLY));
	third = MUST(open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY));
	EQUAL(read(second, byte, 8), 8, "read");
	folder = opendir("/proc/self/fd");
}

static void proc_check(void)
{
	char text[8192] = "", *line;
	int pid = 0;

	EQUAL(lseek(second, 0, SEEK_CUR), 8, "the offset of /proc/meminfo");
	CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0, "read of /proc/self/status");
	line = strstr(text, "\nPid:");
	if (line)
		sscanf(line, "\nPid: %d", &pid);
	EQUAL(pid, getpid(), "the pid that an open /proc/self/status tells");
	CHECK(pread(second, text, 8, 0) == 8 && memcmp(text, "MemTotal", 8) == 0, "/proc/meminfo");
	CHECK(pread(third, text, 100, 0) > 5, "read of a /sys file");
	CHECK(readdir(folder) != NULL, "an open /proc/self/fd is empty");
}

static void dup_prepare(void)
{
	fd = make("dup", O_RDONLY, 1000, 6);
	second = MUST(dup(fd));
	third = MUST(open("dup", O_RDONLY));
	lseek(fd, 100, SEEK_SET);
	lseek(third, 500, SEEK_SET);
}

static void dup_check(void)
{
	EQUAL(lseek(second, 0, SEEK_CUR), 100, "the offset of the duplicate");
	lseek(second, 200, SEEK_SET);
	EQUAL(lseek(fd, 0, SEEK_CUR), 200, "the offset moved through the duplicate");
	EQUAL(lseek(third, 0, SEEK_CUR), 500, "the offset of a description of its own");
	fcntl(second, F_SETFL, O_NONBLOCK);
	expect_flags(fd, O_NONBLOCK, "flags set through the duplicate:");
	expect_flags(third, 0, "the other description");
}

static void numbers_prepare(void)
{
	for (int i = 3; i < 1000; i++)
		close(i);
	fd = MUST(open("/dev/null", O_RDONLY));
	MUST(dup2(fd, 100));
	MUST(dup3(fd, 101, O_CLOEXEC));
	MUST(dup3(fd, 900, O_CLOEXEC));
	for (int i = 50; i < 90; i += 3)
		MUST(dup3(fd, i, i % 2 ? O_CLOEXEC : 0));
	close(fd);
}

static void numbers_check(void)
{
	EQUAL(fcntl(100, F_GETFD), 0, "close-on-exec of 100");
	EQUAL(fcntl(101, F_GETFD), FD_CLOEXEC, "close-on-exec of 101");
	EQUAL(fcntl(900, F_GETFD), FD_CLOEXEC, "close-on-exec of 900");
	for (int i = 3; i < 1000; i++) {
		int want = i == 100 ? 0 : i == 101 || i == 900 ? FD_CLOEXEC : -1;

		if (i >= 50 && i < 90 && (i - 50) % 3 == 0)
			want = i % 2 ? FD_CLOEXEC : 0;
		if (fcntl(i, F_GETFD) != want)
			FAIL("descriptor %d: F_GETFD gives %d, expected %d", i, fcntl(i, F_GETFD), want);
	}
}

static void fifo_prepare(void)
{
	mkfifo("fifo", 0600);
	fd = MUST(open("fifo", O_RDWR | O_NONBLOCK));
	EQUAL(write(fd, "in the fifo", 11), 11, "write");
}

static void fifo_check(void)
{
	char text[32] = "";
	struct stat by_name, by_fd;

	EQUAL(read(fd, text, sizeof(text) - 1), 11, "read of the FIFO");
	SAME_TEXT(text, "in the fifo", "its content");
	EQUAL(read(fd, text, 1), -1, "read of the empty FIFO");
	fstat(fd, &by_fd);
	EQUAL(stat("fifo", &by_name), 0, "the FIFO's name");
	EQUAL(by_fd.st_ino, by_name.st_ino, "the FIFO's inode");
}

static void renamed_prepare(void)
{
	fd = make("old-name", O_RDONLY, 100, 8);
	rename("old-name", "new-name");
}

static void renamed_check(void)
{
	expect_pattern(fd, 0, 100, 8);
}

/* A file that its user may no longer open, as after giving up rights. */
static void closed_mode_prepare(void)
{
	fd = make("no-mode", O_RDWR, 100, 9);
	fchmod(fd, 0);
}

static void closed_mode_check(void)
{
	expect_pattern(fd, 0, 100, 9);
	EQUAL(pwrite(fd, "x", 1, 99), 1, "pwrite");
	EQUAL(pwrite(fd, &(char){pattern_at(9, 99)}, 1, 99), 1, "pwrite");
}

static const struct judge_case cases[] = {
	{"regular", regular_prepare, regular_check},
	{"grown", grown_prepare, grown_check},
	{"append", append_prepare, append_check},
	{"o_path", path_prepare, path_check},
	{"deleted", deleted_prepare, deleted_check},
	{"deleted-big", deleted_big_prepare, deleted_big_check},
	{"directory", directory_prepare, directory_check},
	{"devices", devices_prepare, devices_check},
	{"proc", proc_prepare, proc_check},
	{"dup", dup_prepare, dup_check},
	{"numbers", numbers_prepare, numbers_check},
	{"fifo", fifo_prepare, fifo_check},
	{"renamed", renamed_prepare, renamed_check},
	{"closed-mode", closed_mode_prepare, closed_mode_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
