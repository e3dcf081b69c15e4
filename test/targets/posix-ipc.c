/*
 * POSIX shared memory and semaphores, which are files on a tmpfs: between two processes, one of which sleeps on a semaphore; named
 * ones whose name is gone, and process-shared mutexes in anonymous memory.
 */
#include "judge.h"
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define SIZE (3 * 4096)

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	int asked, answered;
};

static char memory_name[64], semaphore_name[64];
static char *memory, *nameless;
static sem_t *named, *again = SEM_FAILED, *gone;
static struct shared *shared;
static pid_t child;

static void serve(void)
{
	if (sem_wait(named) != 0)
		_exit(1);
	memory[0] = nameless[0];
	if (sem_post(gone) != 0)
		_exit(2);
	pthread_mutex_lock(&shared->mutex);
	while (!shared->asked)
		pthread_cond_wait(&shared->condition, &shared->mutex);
	shared->answered = 1;
	pthread_cond_broadcast(&shared->condition);
	pthread_mutex_unlock(&shared->mutex);
	_exit(0);
}

static char *map_shm(const char *name, int seed)
{
	int fd = MUST(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0640));
	char *at;

	MUST(ftruncate(fd, SIZE));
	at = MUST(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	close(fd);
	pattern_fill(at, SIZE, seed);
	return at;
}

static void make_shared(void)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t condition;

	shared = MUST(mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &mutex);
	pthread_condattr_init(&condition);
	pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared->condition, &condition);
}

static void expect_by_name(void)
{
	int fd = shm_open(memory_name, O_RDWR, 0), value = 0;
	struct stat st;
	char *at;

	CHECK(fd >= 0, "the name of the memory is gone: %s", strerror(errno));
	if (fd < 0)
		return;
	fstat(fd, &st);
	EQUAL(st.st_size, SIZE, "its size");
	EQUAL(st.st_mode & 07777, 0640, "its mode");
	at = MUST(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	SAME_PATTERN(at, SIZE, 1, "the memory by its name");
	at[1] = 'n';
	EQUAL(memory[1], 'n', "what is written through the name");
	again = sem_open(semaphore_name, 0);
	CHECK(again != SEM_FAILED, "the name of the semaphore is gone: %s", strerror(errno));
	EQUAL(sem_getvalue(named, &value), 0, "sem_getvalue");
	EQUAL(value, 0, "the semaphore");
	CHECK(sem_open("/frore-gone", 0) == SEM_FAILED, "the name that was removed is there");
}

static void expect_child(void)
{
	struct timespec limit;
	int status;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 5;
	nameless[0] = 'z';
	/* the C library knows it by its inode, which is new: another mapping of the same memory */
	EQUAL(again == SEM_FAILED ? -1 : sem_post(again), 0, "sem_post");
	EQUAL(sem_timedwait(gone, &limit), 0, "waiting for the child");
	EQUAL(memory[0], 'z', "what the child has copied");
	pthread_mutex_lock(&shared->mutex);
	shared->asked = 1;
	pthread_cond_broadcast(&shared->condition);
	while (!shared->answered && pthread_cond_timedwait(&shared->condition, &shared->mutex, &limit) == 0)
		;
	EQUAL(shared->answered, 1, "the answer");
	pthread_mutex_unlock(&shared->mutex);
	EQUAL(waitpid(child, &status, 0), child, "waitpid");
	EQUAL(status, 0, "how the child ended");
}

int main(void)
{
	judge_subject = "posix-ipc";
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(memory_name, sizeof(memory_name), "/frore-m%d", getpid());
	snprintf(semaphore_name, sizeof(semaphore_name), "/frore-s%d", getpid());
	memory = map_shm(memory_name, 1);
	nameless = map_shm("/frore-nameless", 2);
	shm_unlink("/frore-nameless");
	named = sem_open(semaphore_name, O_CREAT | O_EXCL, 0600, 0);
	gone = sem_open("/frore-gone", O_CREAT | O_EXCL, 0600, 0);
	if (named == SEM_FAILED || gone == SEM_FAILED)
		CANNOT("sem_open: %s", strerror(errno));
	sem_unlink("/frore-gone");
	make_shared();
	child = MUST(fork());
	if (child == 0)
		serve();
	sleep_ms(50);
	say("names %s sem.%s", memory_name + 1, semaphore_name + 1);
	ready();
	judge_wait();
	SAME_PATTERN(memory, SIZE, 1, "the memory");
	SAME_PATTERN(nameless, SIZE, 2, "the memory without a name");
	expect_by_name();
	expect_child();
	shm_unlink(memory_name);
	sem_unlink(semaphore_name);
	return verdict("posix-ipc");
}
