/*
 * beat LOG MIB [WORD...]: a target that feels its own pauses. It holds MIB of memory, takes the time over and over, and appends to LOG
 *   ready PID                              once it holds everything;
 *   gap LARGEST LOST BEATS ALL             on SIGUSR1: since the last such line the largest time between two beats, the sum of those
 *                                          above a millisecond, how many beats there were, and in what time; microseconds;
 *   resumed NS                             when the time of day has jumped, as it has after a resume, and there is a file LOG.resume: the
 *                                          time of its first instruction;
 *   wrote                                  with write=: it has written so many MiB and read the rest.
 * WORD is: huge (transparent huge pages), random (does not compress; else as a heap, 3:1), threads=N and processes=N (of this process's
 * threads each; all but the first sleep), every=US (sleeps between two beats; 0: never), touch (each beat writes to the next page),
 * once (it ends when it has been resumed), write=MIB (it does that then, and sleeps).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "common.h"

#define PAGE 4096UL
#define BLOCK (16UL << 20)
#define STACK 65536
#define LOST_NS 1000000LL
#define JUMP_NS 20000000LL

static const char *log_path;
static unsigned long mib, threads = 1, processes = 1, every, write_mib;
static int once, huge, noise, touch;
static uint64_t *memory;
static uint64_t state = 88172645463325252ULL;
static volatile sig_atomic_t asked;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void say(const char *line)
{
	int fd = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line))
		_exit(3);
	close(fd);
}

/* Words as a program's heap has them: pointers into it, small numbers, nothing, and some that look random. */
static void fill_objects(uint64_t *page)
{
	for (unsigned i = 0; i < PAGE / 8; i++) {
		uint64_t x = next_random();

		switch (x & 7) {
		case 0:
			page[i] = next_random();
			break;
		case 1:
		case 2:
			page[i] = 0x7f1200000000ULL + ((x >> 20) & 0xfffff0);
			break;
		case 3:
		case 4:
			page[i] = (x >> 8) & 0xff;
			break;
		default:
			page[i] = 0;
		}
	}
}

static void fill_text(char *page)
{
	static const char *const words[] = {"request", "user", "\"name\": ", "session", "0.25, ", "error", "the ", "of ", "Content-Type: ",
		"GET /", "index", ".html", "2026-", "update", "select ", "from "};
	size_t at = 0;

	while (at + 32 < PAGE) {
		uint64_t x = next_random();

		at += (size_t)sprintf(page + at, "%s%x", words[x & 15], (unsigned)(x >> 4) & 0xff);
	}
}

static void fill_noise(uint64_t *page)
{
	for (unsigned i = 0; i < PAGE / 8; i++)
		page[i] = next_random();
}

/* Every page differs from every other one; what is alike lies further apart than a compressor looks. */
static void fill(char *at, size_t length)
{
	for (size_t done = 0; done < length; done += PAGE) {
		char *page = at + done;

		if (done >= BLOCK && !noise)
			memcpy(page, page - BLOCK, PAGE);
		else if (noise || done / PAGE % 10 < 1)
			fill_noise((uint64_t *)page);
		else if (done / PAGE % 10 < 4)
			fill_text(page);
		else
			fill_objects((uint64_t *)page);
		if (!noise)
			*(uint64_t *)(page + 8 * (next_random() & 511)) = done;
	}
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int start_threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (unsigned long i = 1; i < threads; i++)
		if (pthread_create(&thread, &attr, sleeper, NULL) != 0)
			return -1;
	return 0;
}


static int start_processes(void)
{
	char byte = 0;
	int ends[2];

	if (pipe(ends) < 0)
		return -1;
	for (unsigned long i = 1; i < processes; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (start_threads() < 0 || write(ends[1], &byte, 1) != 1)
				_exit(1);
			close(ends[0]);
			close(ends[1]);
			sleeper(NULL);
		}
	for (unsigned long i = 1; i < processes; i++)
		if (read(ends[0], &byte, 1) != 1)
			return -1;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void on_usr1(int signal)
{
	asked = signal;
}

static int read_words(int argc, char **argv)
{
	for (int i = 3; i < argc; i++)
		if (strcmp(argv[i], "huge") == 0)
			huge = 1;
		else if (strcmp(argv[i], "random") == 0)
			noise = 1;
		else if (strcmp(argv[i], "touch") == 0)
			touch = 1;
		else if (strcmp(argv[i], "once") == 0)
			once = 1;
		else if (sscanf(argv[i], "threads=%lu", &threads) != 1 && sscanf(argv[i], "processes=%lu", &processes) != 1 &&
			 sscanf(argv[i], "every=%lu", &every) != 1 &&
			 sscanf(argv[i], "write=%lu", &write_mib) != 1)
			return -1;
	return argc < 3 ? -1 : 0;
}

static int take_memory(void)
{
	size_t length = mib << 20;

	if (length == 0)
		return 0;
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -1;
	/* MADV_NOHUGEPAGE would bind a resume, too, which fills memory faster in huge pages. */
	if (huge)
		madvise(memory, length, MADV_HUGEPAGE);
	fill((char *)memory, length);
	return 0;
}

/* It may only have been kept waiting. The time has been taken first: that is the first instruction of its new life. */
static void jumped(int64_t at)
{
	volatile uint64_t *page = memory;
	char line[4096];

	snprintf(line, sizeof(line), "%s.resume", log_path);
	if (access(line, F_OK) < 0)
		return;
	sprintf(line, "resumed %lld\n", (long long)at);
	say(line);
	if (once)
		exit(0);
	for (size_t i = 0; i < mib << 20; i += PAGE, page += PAGE / 8)
		if (i < write_mib << 20)
			*page = i;
		else
			(void)*page;
	say("wrote\n");
	sleeper(NULL);
}

static void beat(void)
{
	struct timespec moment = {0, (long)every * 1000};
	int64_t day = clock_ns(CLOCK_REALTIME), last = now(), start = last, largest = 0, lost = 0, beats = 0;
	size_t pages = (mib << 20) / PAGE, page = 0;
	char line[128];

	for (;; beats++) {
		int64_t at, today;

		if (every)
			nanosleep(&moment, NULL);
		today = clock_ns(CLOCK_REALTIME);
		if (today - day > JUMP_NS && (once || write_mib))
			jumped(today);
		day = today;
		at = now();
		if (at - last > largest)
			largest = at - last;
		if (at - last > LOST_NS)
			lost += at - last;
		last = at;
		if (touch && pages) {
			memory[page * (PAGE / 8)]++;
			page = (page + 1) % pages;
		}
		if (asked) {
			sprintf(line, "gap %.1f %.1f %lld %.1f\n", (double)largest / 1000, (double)lost / 1000, (long long)beats,
				(double)(at - start) / 1000);
			asked = 0;
			say(line);
			start = last = now();
			largest = lost = beats = 0;
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};
	char ready[32];

	if (read_words(argc, argv) < 0)
		return 2;
	log_path = argv[1];
	mib = strtoul(argv[2], NULL, 10);
	/* What the starting shell has left open would be a descriptor to the outside. */
	close_range(3, ~0U, 0);
	sigaction(SIGUSR1, &action, NULL);
	if (start_processes() < 0 || start_threads() < 0 || take_memory() < 0)
		return 1;
	sprintf(ready, "ready %d\n", getpid());
	say(ready);
	beat();
}
