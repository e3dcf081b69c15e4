/*
 * Reads what /proc tells about stopped processes, on other processors than the tracer's: it costs the kernel more than all that the
 * tracer does itself. Reading is not tied to the thread that traces. What is wanted before anybody has come to it, the caller reads.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native.h"

#define MOST_THREADS 4
#define LEAST_ROOM 4096

#define OWN_CREDENTIALS 1
#define OWN_FILES 2
#define OWN_DIRECTORY 4

enum state { WAITING, BUSY, DONE };

struct piece {
	enum state state;
	int error; /* -errno */
	uint8_t *bytes;
	uint64_t length, room;
};

struct ahead {
	pthread_mutex_t lock;
	pthread_cond_t done;
	int32_t *pids;
	char *text;
	const char **names; /* a letter for the way of reading, and the name below /proc/PID */
	uint32_t pid_count, name_count, early_count, count, next, thread_count;
	int ending;
	pthread_t threads[MOST_THREADS];
	struct piece *pieces; /* all names of the first process, all of the second, ... */
};

static int make_room(struct piece *p, uint64_t more)
{
	uint64_t room = p->room ? p->room : LEAST_ROOM;
	uint8_t *larger;

	if (p->length + more <= p->room)
		return 0;
	while (room < p->length + more)
		room *= 2;
	larger = realloc(p->bytes, room);
	if (!larger)
		return -ENOMEM;
	p->bytes = larger;
	p->room = room;
	return 0;
}

static int add(struct piece *p, const void *bytes, uint64_t length)
{
	int ret = make_room(p, length);

	if (ret == 0) {
		memcpy(p->bytes + p->length, bytes, length);
		p->length += length;
	}
	return ret;
}

static int read_file(struct piece *p, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;
	ssize_t got = 0;

	if (fd < 0)
		return -errno;
	while ((ret = make_room(p, LEAST_ROOM)) == 0 && (got = read(fd, p->bytes + p->length, p->room - p->length)) > 0)
		p->length += (uint64_t)got;
	if (ret == 0 && got < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int read_link(struct piece *p, const char *path)
{
	int ret = make_room(p, LEAST_ROOM);
	ssize_t got = ret == 0 ? readlink(path, (char *)p->bytes + p->length, LEAST_ROOM) : 0;

	if (got < 0)
		return -errno;
	p->length += (uint64_t)got;
	return ret;
}

/* The lines about a mapping of which nobody wants to know, six of seven, are left out. */
static int is_wanted(const char *line, uint64_t length)
{
	static const char *const wanted[] = {"Rss:", "Swap:", "ProtectionKey:", "VmFlags:"};

	if (!isupper((unsigned char)line[0]))
		return 1;
	for (uint32_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (length > strlen(wanted[i]) && memcmp(line, wanted[i], strlen(wanted[i])) == 0)
			return 1;
	return 0;
}

static int read_mappings(struct piece *p, const char *path)
{
	int ret = read_file(p, path);
	uint8_t *to = p->bytes, *from = p->bytes, *end = p->bytes + p->length;

	while (ret == 0 && from < end) {
		uint8_t *newline = memchr(from, '\n', (size_t)(end - from));
		uint64_t length = (uint64_t)((newline ? newline + 1 : end) - from);

		if (is_wanted((char *)from, length)) {
			memmove(to, from, length);
			to += length;
		}
		from += length;
	}
	p->length = (uint64_t)(to - p->bytes);
	if (ret == 0 && p->length > 0 && (to = realloc(p->bytes, p->length))) {
		p->bytes = to;
		p->room = p->length;
	}
	return ret;
}

static int by_number(const void *a, const void *b)
{
	return (*(const int32_t *)a > *(const int32_t *)b) - (*(const int32_t *)a < *(const int32_t *)b);
}

/* Numbers in a directory, ascending; how many, or -errno. */
static int list_numbers(const char *path, int32_t **numbers)
{
	int32_t *found = NULL, *larger;
	struct dirent *entry;
	int count = 0, room = 0;
	DIR *dir = opendir(path);

	*numbers = NULL;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (count == room) {
			room = room ? room * 2 : 64;
			larger = realloc(found, (size_t)room * sizeof(*found));
			if (!larger) {
				free(found);
				closedir(dir);
				return -ENOMEM;
			}
			found = larger;
		}
		found[count++] = atoi(entry->d_name);
	}
	closedir(dir);
	if (found)
		qsort(found, (size_t)count, sizeof(*found), by_number);
	*numbers = found;
	return count;
}

/* Of every descriptor its number, the length of its link and of its fdinfo (32 bits each), and both. */
static int read_descriptors(struct piece *p, int32_t pid)
{
	char path[64];
	int32_t *fds;
	int count, ret = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	count = list_numbers(path, &fds);
	if (count < 0)
		return count;
	for (int i = 0; ret == 0 && i < count; i++) {
		uint64_t head = p->length, link;
		int32_t numbers[3] = {fds[i], 0, 0};

		ret = add(p, numbers, sizeof(numbers));
		if (ret < 0)
			break;
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fds[i]);
		numbers[1] = read_link(p, path);
		link = p->length;
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fds[i]);
		if (numbers[1] == 0)
			numbers[1] = read_file(p, path);
		if (numbers[1] < 0) {
			p->length = head; /* closed meanwhile */
			continue;
		}
		numbers[1] = (int32_t)(link - head - sizeof(numbers));
		numbers[2] = (int32_t)(p->length - link);
		memcpy(p->bytes + head, numbers, sizeof(numbers));
	}
	free(fds);
	return ret;
}

/* A line for every link in a directory: its name, a space, and where it leads. */
static int read_links(struct piece *p, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char path[256];
	int ret = 0;

	if (!dir)
		return -errno;
	while (ret == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%.64s", directory, entry->d_name);
		if ((ret = add(p, entry->d_name, strlen(entry->d_name))) == 0 && (ret = add(p, " ", 1)) == 0) {
			read_link(p, path); /* one that cannot be read leads nowhere */
			ret = add(p, "\n", 1);
		}
	}
	closedir(dir);
	return ret;
}

/* The lines of /proc/PID/status that tell who a thread is, moved together to the front. */
static void keep_credentials(struct piece *p)
{
	static const char *const wanted[] = {"Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:"};
	uint8_t *to = p->bytes, *from = p->bytes, *end = p->bytes + p->length;

	while (from < end) {
		uint8_t *newline = memchr(from, '\n', (size_t)(end - from));
		uint64_t length = (uint64_t)((newline ? newline + 1 : end) - from);

		for (uint32_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (length > strlen(wanted[i]) && memcmp(from, wanted[i], strlen(wanted[i])) == 0) {
				memmove(to, from, length);
				to += length;
				break;
			}
		from += length;
	}
	p->length = (uint64_t)(to - p->bytes);
}

/* Threads that do not share all with the first: id, and which of OWN_* (32 bits each). */
static int compare_threads(struct piece *p, int32_t pid)
{
	struct piece first = {0}, other = {0};
	char path[64];
	int32_t *tids;
	int count, ret = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	count = list_numbers(path, &tids);
	if (count < 2) {
		free(tids);
		return count < 0 ? count : 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	ret = read_file(&first, path);
	if (ret == 0)
		keep_credentials(&first);
	for (int i = 0; ret == 0 && i < count; i++) {
		int32_t found[2] = {tids[i], 0};

		other.length = 0;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tids[i]);
		if (tids[i] == pid || read_file(&other, path) < 0)
			continue;
		keep_credentials(&other);
		if (other.length != first.length || memcmp(other.bytes, first.bytes, first.length) != 0)
			found[1] |= OWN_CREDENTIALS;
		if (syscall(SYS_kcmp, pid, tids[i], KCMP_FILES, 0, 0) > 0)
			found[1] |= OWN_FILES;
		if (syscall(SYS_kcmp, pid, tids[i], KCMP_FS, 0, 0) > 0)
			found[1] |= OWN_DIRECTORY;
		if (found[1])
			ret = add(p, found, sizeof(found));
	}
	free(first.bytes);
	free(other.bytes);
	free(tids);
	return ret;
}

static int read_piece(struct piece *p, int32_t pid, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name + 1);
	switch (name[0]) {
	case 'f':
		return read_file(p, path);
	case 'l':
		return read_link(p, path);
	case 'k':
		return read_links(p, path);
	case 'm':
		return read_mappings(p, path);
	case 'd':
		return read_descriptors(p, pid);
	case 'c':
		return compare_threads(p, pid);
	default:
		return -EINVAL;
	}
}

/* With the lock held, which is given up meanwhile. */
static void do_piece(struct ahead *a, uint32_t i)
{
	struct piece *p = &a->pieces[i];

	p->state = BUSY;
	pthread_mutex_unlock(&a->lock);
	p->error = read_piece(p, a->pids[i / a->name_count], a->names[i % a->name_count]);
	pthread_mutex_lock(&a->lock);
	p->state = DONE;
	pthread_cond_broadcast(&a->done);
}

/* The early names of one process after the other, then the others in the same way. */
static uint32_t piece_at(const struct ahead *a, uint32_t turn)
{
	uint32_t early = a->pid_count * a->early_count, late_count = a->name_count - a->early_count;

	if (turn < early)
		return turn / a->early_count * a->name_count + turn % a->early_count;
	turn -= early;
	return turn / late_count * a->name_count + a->early_count + turn % late_count;
}

static void *work(void *arg)
{
	struct ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->ending && a->next < a->count) {
		uint32_t i = piece_at(a, a->next++);

		if (a->pieces[i].state == WAITING)
			do_piece(a, i);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void start_threads(struct ahead *a, uint32_t most, const cpu_set_t *affinity, uint32_t mask_length)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	/* The signals of this program are for its first thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setaffinity_np(&attributes, mask_length, affinity);
	while (a->thread_count < most && pthread_create(&a->threads[a->thread_count], &attributes, work, a) == 0)
		a->thread_count++;
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* After all threads have ended. */
static void discard(struct ahead *a)
{
	for (uint32_t i = 0; a->pieces && i < a->count; i++)
		free(a->pieces[i].bytes);
	free(a->pieces);
	free(a->names);
	free(a->text);
	free(a->pids);
	free(a);
}

/*
 * `names` are NUL-terminated, one behind the other, `names_length` bytes in all; the first of them are wanted early. The threads run on
 * the processors of `affinity`, one on each; without any, the caller reads all. NULL: no memory.
 */
EXPORT struct ahead *frore_native_ahead_start(const int32_t *pids, uint32_t pid_count, const char *names, uint32_t names_length,
					      uint32_t name_count, uint32_t early_count, const uint8_t *affinity, uint32_t mask_length)
{
	struct ahead *a = calloc(1, sizeof(*a));
	uint32_t others = (uint32_t)CPU_COUNT_S(mask_length, (const cpu_set_t *)affinity);
	char *name;

	if (!a)
		return NULL;
	a->pid_count = pid_count;
	a->name_count = name_count;
	a->early_count = early_count;
	a->count = pid_count * name_count;
	a->pids = malloc(pid_count * sizeof(*pids));
	a->text = malloc(names_length);
	a->names = calloc(name_count, sizeof(*a->names));
	a->pieces = calloc(a->count, sizeof(*a->pieces));
	if (!a->pids || !a->text || !a->names || !a->pieces) {
		discard(a);
		return NULL;
	}
	memcpy(a->pids, pids, pid_count * sizeof(*pids));
	name = memcpy(a->text, names, names_length);
	for (uint32_t i = 0; i < name_count; name += strlen(name) + 1)
		a->names[i++] = name;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->done, NULL);
	start_threads(a, others < MOST_THREADS ? others : MOST_THREADS, (const cpu_set_t *)affinity, mask_length);
	return a;
}

/* Length of a piece, of which no more than `room` is copied; or -errno. */
EXPORT int64_t frore_native_ahead_take(struct ahead *a, uint32_t i, void *bytes, uint64_t room)
{
	struct piece *p = &a->pieces[i];

	pthread_mutex_lock(&a->lock);
	if (p->state == WAITING)
		do_piece(a, i);
	while (p->state != DONE)
		pthread_cond_wait(&a->done, &a->lock);
	pthread_mutex_unlock(&a->lock);
	if (p->error < 0)
		return p->error;
	if (p->length > 0)
		memcpy(bytes, p->bytes, p->length < room ? p->length : room);
	return (int64_t)p->length;
}

EXPORT void frore_native_ahead_end(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->ending = 1;
	pthread_mutex_unlock(&a->lock);
	for (uint32_t i = 0; i < a->thread_count; i++)
		pthread_join(a->threads[i], NULL);
	discard(a);
}
