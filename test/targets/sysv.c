/*
 * System V IPC: segments that are attached (twice, in part, read-only, removed) and one that is not, semaphores and queues with what
 * waits in them, and children that sleep on both. The ids are written to a file, so that whoever ends the original can remove them.
 */
#include "judge.h"
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>

#define SIZE (5 * 4096 + 100)
#define BIG 7000

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

struct message {
	long type;
	char text[BIG];
};

static int segment, removed, loose, set, fresh, queue;
static key_t key;
static char *attached, *again, *readonly, *dying;
static pid_t sleeper, receiver;
static time_t used;

static void change(int semaphore, int by)
{
	struct sembuf one = {semaphore, by, 0};

	MUST(semop(set, &one, 1));
}

static void sleep_on_semaphore(void)
{
	change(2, -1);
	attached[4096] = 'w';
	_exit(attached[0] == 'p' ? 0 : 1);
}

static void wait_for_message(void)
{
	struct message m;

	_exit(msgrcv(queue, &m, sizeof(m.text), 99, 0) == 4 && strcmp(m.text, "end") == 0 ? 0 : 1);
}

static pid_t make(void (*be)(void))
{
	pid_t pid = MUST(fork());

	if (pid == 0)
		be();
	return pid;
}

static void send_text(long type, const void *text, size_t size)
{
	struct message m = {.type = type};

	memcpy(m.text, text, size);
	MUST(msgsnd(queue, &m, size, 0));
}

static void make_segments(void)
{
	void *at;

	segment = MUST(shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0640));
	attached = MUST(shmat(segment, NULL, 0));
	again = MUST(shmat(segment, NULL, 0));
	readonly = MUST(shmat(segment, NULL, SHM_RDONLY));
	pattern_fill(attached, SIZE, 1);
	removed = MUST(shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600));
	dying = MUST(shmat(removed, NULL, 0));
	pattern_fill(dying, 8192, 2);
	MUST(shmctl(removed, IPC_RMID, NULL));
	loose = MUST(shmget(IPC_PRIVATE, 3 * 4096, IPC_CREAT | 0600));
	at = MUST(shmat(loose, NULL, 0));
	pattern_fill(at, 4096, 3);
	shmdt(at);
}

static void make_others(void)
{
	unsigned short values[3] = {5, 32767, 0};
	union semun all = {.array = values};
	struct semid_ds ds;
	char big[BIG];

	set = MUST(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
	MUST(semctl(set, 0, SETALL, all));
	change(0, 2);
	fresh = MUST(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600));
	MUST(semctl(fresh, 0, SETVAL, (union semun){.val = 1}));
	MUST(semctl(set, 0, IPC_STAT, (union semun){.buf = &ds}));
	used = ds.sem_otime;
	queue = MUST(msgget(key, IPC_CREAT | IPC_EXCL | 0620));
	pattern_fill(big, BIG, 4);
	send_text(7, "first", 6);
	send_text(5, big, BIG);
	send_text(7, "", 0);
}

static void note_ids(void)
{
	FILE *file = fopen("ids", "w");

	fprintf(file, "-m %d -m %d -s %d -s %d -q %d\n", segment, loose, set, fresh, queue);
	fclose(file);
}

static void expect_segments(void)
{
	struct shmid_ds ds;
	void *at;

	SAME_PATTERN(attached, SIZE, 1, "the segment");
	attached[0] = 'p';
	EQUAL(again[0], 'p', "the second attachment");
	EQUAL(readonly[0], 'p', "the read-only attachment");
	EQUAL(shmget(key, SIZE, 0), segment, "the id of the key");
	MUST(shmctl(segment, IPC_STAT, &ds));
	EQUAL(ds.shm_segsz, SIZE, "its size");
	EQUAL(ds.shm_perm.mode, 0640, "its mode");
	EQUAL(ds.shm_perm.uid, geteuid(), "its owner");
	EQUAL(ds.shm_nattch, 9, "attachments in three processes");
	EQUAL(shmdt(again), 0, "detaching");
	CHECK(msync(again, 4096, MS_ASYNC) == -1 && errno == ENOMEM, "the detached memory is there");
	SAME_PATTERN(dying, 8192, 2, "the removed segment");
	MUST(shmctl(removed, IPC_STAT, &ds));
	EQUAL(ds.shm_perm.mode & 01000, 01000, "the mark that it is removed");
	EQUAL(ds.shm_nattch, 3, "its attachments");
	at = MUST(shmat(loose, NULL, 0));
	SAME_PATTERN(at, 4096, 3, "a segment that nobody has attached");
	MUST(shmctl(loose, IPC_STAT, &ds));
	EQUAL(ds.shm_nattch, 1, "its attachments");
	EQUAL(((char *)at)[2 * 4096], 0, "its last page");
	shmdt(at);
}

static void expect_semaphores(void)
{
	struct semid_ds ds;
	int status;

	EQUAL(semget(key, 3, 0), set, "the id of the key");
	EQUAL(semctl(set, 0, GETVAL), 7, "the first semaphore");
	EQUAL(semctl(set, 1, GETVAL), 32767, "the second");
	EQUAL(semctl(set, 2, GETVAL), 0, "the third");
	EQUAL(semctl(set, 2, GETNCNT), 1, "who waits for it");
	MUST(semctl(set, 0, IPC_STAT, (union semun){.buf = &ds}));
	CHECK(ds.sem_otime >= used, "sem_otime is %lld", (long long)ds.sem_otime);
	EQUAL(semctl(fresh, 0, GETVAL), 1, "the semaphore of another set");
	MUST(semctl(fresh, 0, IPC_STAT, (union semun){.buf = &ds}));
	EQUAL(ds.sem_otime, 0, "its sem_otime");
	change(2, 1);
	EQUAL(waitpid(sleeper, &status, 0), sleeper, "the child that slept");
	EQUAL(status, 0, "how it ended");
	EQUAL(readonly[4096], 'w', "what it has written");
}

static void expect_messages(void)
{
	struct msqid_ds ds;
	struct message m;
	int status;

	MUST(msgctl(queue, IPC_STAT, &ds));
	EQUAL(ds.msg_qnum, 3, "waiting messages");
	EQUAL(ds.msg_perm.mode, 0620, "the mode of the queue");
	EQUAL(msgget(key, 0), queue, "the id of the key");
	EQUAL(msgrcv(queue, &m, BIG, 5, IPC_NOWAIT), BIG, "the big message");
	SAME_PATTERN(m.text, BIG, 4, "its text");
	EQUAL(msgrcv(queue, &m, BIG, 0, IPC_NOWAIT), 6, "the first message");
	SAME_TEXT(m.text, "first", "its text");
	EQUAL(msgrcv(queue, &m, BIG, 7, IPC_NOWAIT), 0, "the empty message");
	send_text(99, "end", 4);
	EQUAL(waitpid(receiver, &status, 0), receiver, "the child that waited");
	EQUAL(status, 0, "how it ended");
}

int main(void)
{
	judge_subject = "sysv";
	setvbuf(stdout, NULL, _IOLBF, 0);
	key = 0x46000000 | getpid();
	make_segments();
	make_others();
	note_ids();
	sleeper = make(sleep_on_semaphore);
	receiver = make(wait_for_message);
	while (semctl(set, 2, GETNCNT) != 1)
		sleep_ms(1);
	sleep_ms(20);
	ready();
	judge_wait();
	expect_segments();
	expect_semaphores();
	expect_messages();
	shmctl(segment, IPC_RMID, NULL);
	shmctl(loose, IPC_RMID, NULL);
	semctl(set, 0, IPC_RMID);
	semctl(fresh, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
	return verdict("sysv");
}
