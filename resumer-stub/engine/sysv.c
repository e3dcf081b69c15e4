/*
 * System V IPC objects with their old identifiers. The root makes all of them, before it forks, in an IPC namespace that is the
 * tree's own: a segment stands in the stage like other shared memory, so every task maps it from there.
 */
#include <linux/fcntl.h>
#include <linux/ipc.h>
#include <linux/mman.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <asm/shmbuf.h>

#include "engine.h"

#define OURS 0600
#define MOST_BYTES 16384 /* MSGMNB, what a queue may hold without asking */
#define PERMISSIONS 0777
#define SEMVMX 32767
/* Of shm_perm.mode, in the kernel alone (include/linux/shm.h). */
#define SHM_DEST 01000
#define SHM_LOCKED 02000

static long write_number(const char *path, int64_t value)
{
	char line[24];
	struct text t = text_in(line, sizeof(line));
	long fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0), ret;

	if (fd < 0)
		return fd;
	text_dec(&t, value);
	ret = sys_write((int)fd, line, t.length);
	sys_close((int)fd);
	return ret;
}

/* "segment 26" */
static const char *named(char line[48], const char *what, int32_t id)
{
	struct text t = text_in(line, 48);

	text_str(&t, what);
	text_char(&t, ' ');
	text_dec(&t, id);
	return line;
}

static long refuse_object(struct resume *r, const char *what, int32_t id, long err)
{
	char line[48];

	return refuse(r, "cannot make the System V", named(line, what, id), err < 0 ? -err : 0,
		      "the kernel needs CONFIG_CHECKPOINT_RESTORE, and /proc must be there");
}

static void warn_object(struct resume *r, const char *what, int32_t id, long err)
{
	char line[48];

	warn(r, "cannot give back owner and mode of the System V", named(line, what, id), -err, 0);
}

static long stage_segment(struct resume *r, const struct frore_shm *s)
{
	uint64_t count, at = contents_address(r, s->content);
	const struct frore_content *c = ROWS(&r->artefact, CONTENT, &count);
	struct shmid64_ds ds;
	long ret;

	if (s->content >= count || c[s->content].size == 0)
		return refuse(r, "cannot resume this file: it is damaged,", "a segment has no content", 0, 0);
	write_number("/proc/sys/kernel/shm_next_id", s->id);
	ret = sys3(__NR_shmget, s->key, (long)c[s->content].size, IPC_CREAT | IPC_EXCL | OURS);
	if (ret != s->id)
		return refuse_object(r, "shared memory segment", s->id, ret);
	ret = sys3(__NR_shmat, s->id, (long)at, SHM_REMAP);
	if (ret != (long)at)
		return refuse_object(r, "shared memory segment", s->id, ret);
	memset(&ds, 0, sizeof(ds));
	ds.shm_perm.uid = s->uid;
	ds.shm_perm.gid = s->gid;
	ds.shm_perm.mode = s->mode & PERMISSIONS;
	ret = sys3(__NR_shmctl, s->id, IPC_SET, (long)&ds);
	if (ret < 0)
		warn_object(r, "shared memory segment", s->id, ret);
	if (s->mode & SHM_LOCKED)
		sys3(__NR_shmctl, s->id, SHM_LOCK, 0);
	if (s->mode & SHM_DEST) /* it ends with its last mapping; ours in the stage is one until every task has its own */
		sys3(__NR_shmctl, s->id, IPC_RMID, 0);
	return 0;
}

/* sem_otime tells that the set has been used, for which some programs wait: two operations that cancel each other out. */
static void touch(const struct frore_sem *s, uint16_t first)
{
	struct sembuf both[2] = {{0, 1, IPC_NOWAIT}, {0, -1, IPC_NOWAIT}};

	if (first == SEMVMX) {
		both[0].sem_op = -1;
		both[1].sem_op = 1;
	}
	sys3(__NR_semop, s->id, (long)both, 2);
}

static long stage_semaphores(struct resume *r, const struct frore_sem *s)
{
	const uint16_t *values = artefact_bytes(&r->artefact, s->values);
	struct semid64_ds ds;
	long ret;

	write_number("/proc/sys/kernel/sem_next_id", s->id);
	ret = sys3(__NR_semget, s->key, s->values.length / 2, IPC_CREAT | IPC_EXCL | OURS);
	if (ret == s->id)
		ret = sys4(__NR_semctl, s->id, 0, SETALL, (long)values);
	if (ret < 0 || s->values.length < 2)
		return refuse_object(r, "semaphore set", s->id, ret);
	if (s->used)
		touch(s, values[0]);
	memset(&ds, 0, sizeof(ds));
	ds.sem_perm.uid = s->uid;
	ds.sem_perm.gid = s->gid;
	ds.sem_perm.mode = s->mode & PERMISSIONS;
	ret = sys4(__NR_semctl, s->id, 0, IPC_SET, (long)&ds);
	if (ret < 0)
		warn_object(r, "semaphore set", s->id, ret);
	return 0;
}

static long set_queue(const struct frore_msg *q, uint32_t uid, uint32_t gid, uint32_t mode)
{
	struct msqid64_ds ds;

	memset(&ds, 0, sizeof(ds));
	ds.msg_perm.uid = uid;
	ds.msg_perm.gid = gid;
	ds.msg_perm.mode = mode;
	ds.msg_qbytes = q->qbytes;
	return sys3(__NR_msgctl, q->id, IPC_SET, (long)&ds);
}

/* A message of the table has its type apart from its text; msgsnd(2) wants them together. */
static long send(struct resume *r, const struct frore_msg *q, const struct frore_msg_message *m)
{
	uint64_t length = 8 + m->data.length;
	long at = sys_mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ret;

	if (at < 0)
		return at;
	*(int64_t *)at = m->type;
	memcpy((void *)(at + 8), artefact_bytes(&r->artefact, m->data), m->data.length);
	ret = sys4(__NR_msgsnd, q->id, at, (long)m->data.length, IPC_NOWAIT);
	sys_munmap((uint64_t)at, length);
	return ret;
}

static long stage_queue(struct resume *r, const struct frore_msg *q)
{
	uint64_t count, i;
	const struct frore_msg_message *m = ROWS(&r->artefact, MSG_MESSAGE, &count);
	long ret;

	if (q->qbytes > MOST_BYTES) {
		write_number("/proc/sys/kernel/msgmnb", (int64_t)q->qbytes);
		write_number("/proc/sys/kernel/msgmax", (int64_t)q->qbytes);
	}
	write_number("/proc/sys/kernel/msg_next_id", q->id);
	ret = sys2(__NR_msgget, q->key, IPC_CREAT | IPC_EXCL | OURS);
	if (ret == q->id)
		ret = set_queue(q, (uint32_t)sys0(__NR_geteuid), (uint32_t)sys0(__NR_getegid), OURS);
	if (ret < 0 || q->first > count || q->count > count - q->first)
		return refuse_object(r, "message queue", q->id, ret);
	for (i = 0; i < q->count; i++) {
		ret = send(r, q, &m[q->first + i]);
		if (ret < 0)
			return refuse_object(r, "message queue", q->id, ret);
	}
	ret = set_queue(q, q->uid, q->gid, q->mode & PERMISSIONS);
	if (ret < 0)
		warn_object(r, "message queue", q->id, ret);
	return 0;
}

long sysv_stage(struct resume *r)
{
	uint64_t segments, sets, queues, i;
	const struct frore_shm *shm = ROWS(&r->artefact, SHM, &segments);
	const struct frore_sem *sem = ROWS(&r->artefact, SEM, &sets);
	const struct frore_msg *msg = ROWS(&r->artefact, MSG, &queues);

	for (i = 0; i < segments; i++)
		if (stage_segment(r, &shm[i]) < 0)
			return -1;
	for (i = 0; i < sets; i++)
		if (stage_semaphores(r, &sem[i]) < 0)
			return -1;
	for (i = 0; i < queues; i++)
		if (stage_queue(r, &msg[i]) < 0)
			return -1;
	return 0;
}
