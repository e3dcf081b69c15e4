/*
 * What is done to every thread of a process while the target stands still: a thousand threads are a thousand rounds through here, and
 * as many pauses of Node would be paid for by the target. Every function works through a list that TypeScript has made; errors are
 * told per thread as -errno. All of it belongs to the thread that traces.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "native.h"
#include "trace.h"

/* Seizes and interrupts: results are 0 or -errno. */
EXPORT void frore_native_seize(int32_t pid, const int32_t *tids, uint32_t count, uint64_t options, int32_t *results)
{
	for (uint32_t i = 0; i < count; i++) {
		results[i] = (int32_t)trace(PTRACE_SEIZE, tids[i], 0, options);
		if (results[i] < 0)
			continue;
		if (tids[i] != pid)
			unstick_add(tids[i]);
		/* It may have ended already: then waiting for it tells. */
		trace(PTRACE_INTERRUPT, tids[i], 0, 0);
	}
}

struct news {
	int32_t result; /* as wait4: 0 nothing new, the tid, or -errno */
	int32_t status;
	uint8_t registers[REGISTERS]; /* at an event-stop */
	uint64_t registers_length;
};

/* Looks once whether each thread has something to tell. */
EXPORT void frore_native_poll(const int32_t *tids, uint32_t count, struct news *news)
{
	for (uint32_t i = 0; i < count; i++) {
		struct news *n = &news[i];
		long ret;

		do
			ret = syscall(SYS_wait4, tids[i], &n->status, __WALL | WNOHANG, NULL);
		while (ret < 0 && errno == EINTR);
		n->result = ret < 0 ? -errno : (int32_t)ret;
		n->registers_length = 0;
		if (ret <= 0 || !WIFSTOPPED(n->status) || n->status >> 16 != EVENT_STOP)
			continue;
		n->registers_length = sizeof(n->registers);
		if (regset(GETREGSET, tids[i], NT_PRSTATUS_REGSET, n->registers, &n->registers_length) < 0)
			n->registers_length = 0;
	}
}

struct look {
	uint64_t sigmask;
	uint64_t rseq;
	uint64_t rseq_section; /* descriptor of the restartable sequence that it is in */
	uint32_t rseq_size, rseq_signature, rseq_flags;
	int32_t rseq_length; /* as the kernel answered */
	uint64_t robust_head, robust_length;
	uint8_t sched[56]; /* struct sched_attr */
	int32_t ioprio;
	int32_t pending; /* 1: signals wait for this thread */
	int32_t error;
	uint32_t pad0;
	uint64_t xstate_offset, xstate_length;
};

/* The standard XSAVE format: what lies behind the last component in use is cut off. */
static uint64_t trimmed(const uint8_t *xstate, uint64_t length, const uint32_t *components, uint32_t count)
{
	uint64_t used = 3, end = 576, in_use;

	if (length < end)
		return length;
	memcpy(&in_use, xstate + 512, sizeof(in_use));
	used |= in_use;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t *c = &components[i * 3];

		if (used >> c[0] & 1 && (uint64_t)c[1] + c[2] > end)
			end = (uint64_t)c[1] + c[2];
	}
	return end < length ? end : length;
}

static int read_from(int32_t pid, uint64_t at, void *bytes, uint64_t length)
{
	struct iovec local = {bytes, length}, remote = {(void *)at, length};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)length ? 0 : -EFAULT;
}

static void look_at(int32_t pid, int32_t tid, struct look *look)
{
	struct {
		uint64_t offset;
		uint32_t flags;
		int32_t count;
	} peek = {0, 0, 1};
	struct {
		uint64_t pointer;
		uint32_t size, signature, flags, pad;
	} rseq = {0};
	uint8_t info[128];
	long ret;

	look->error = (int32_t)trace(GETSIGMASK, tid, 8, (uint64_t)&look->sigmask);
	look->rseq_length = (int32_t)syscall(SYS_ptrace, GET_RSEQ_CONFIGURATION, tid, sizeof(rseq), &rseq);
	if (look->rseq_length >= (int32_t)sizeof(rseq)) {
		look->rseq = rseq.pointer;
		look->rseq_size = rseq.size;
		look->rseq_signature = rseq.signature;
		look->rseq_flags = rseq.flags;
		if (rseq.pointer && read_from(pid, rseq.pointer + 8, &look->rseq_section, 8) < 0)
			look->rseq_section = 0;
	}
	if (syscall(SYS_get_robust_list, tid, &look->robust_head, &look->robust_length) != 0)
		look->robust_head = look->robust_length = 0;
	if (syscall(SYS_sched_getattr, tid, look->sched, sizeof(look->sched), 0) < 0)
		look->error = -errno;
	ret = syscall(SYS_ioprio_get, 1, tid);
	look->ioprio = ret > 0 ? (int32_t)ret : 0;
	look->pending = syscall(SYS_ptrace, PEEKSIGINFO, tid, &peek, info) != 0;
}

/*
 * What is visible from outside. `components` holds id, offset and size of the processor's state components. The state of thread i begins
 * at looks[i].xstate_offset of `arena`. Returns how many threads found room in it, so that the caller comes again for the others.
 */
EXPORT int64_t frore_native_look(int32_t pid, const int32_t *tids, uint32_t count, struct look *looks, uint8_t *affinity,
				 uint32_t mask_length, const uint32_t *components, uint32_t component_count, uint8_t *arena,
				 uint64_t room)
{
	static uint8_t state[32768];
	uint64_t used = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct look *look = &looks[i];
		uint64_t length = sizeof(state);

		memset(look, 0, sizeof(*look));
		look_at(pid, tids[i], look);
		if (syscall(SYS_sched_getaffinity, tids[i], mask_length, affinity + (uint64_t)i * mask_length) < 0)
			look->error = -errno;
		if (regset(GETREGSET, tids[i], NT_X86_XSTATE_REGSET, state, &length) < 0) {
			look->error = -errno;
			continue;
		}
		look->xstate_length = trimmed(state, length, components, component_count);
		if (look->xstate_length > room - used)
			break;
		look->xstate_offset = used;
		memcpy(arena + used, state, look->xstate_length);
		used += (look->xstate_length + 63) & ~63ULL;
		if (used > room)
			used = room;
	}
	return i;
}

/* The children of all threads, as text; its length, or -1 when it does not fit. */
EXPORT int64_t frore_native_children(int32_t pid, const int32_t *tids, uint32_t count, char *text, uint64_t room)
{
	uint64_t length = 0;
	char path[64];

	for (uint32_t i = 0; i < count; i++) {
		ssize_t got = 0;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tids[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue; /* the thread has ended */
		while (length < room && (got = read(fd, text + length, room - length)) > 0)
			length += (uint64_t)got;
		close(fd);
		if (length == room)
			return -1;
	}
	return (int64_t)length;
}

#define SYSCALL_STOP (SIGTRAP | 0x80)

static int is_wanted(int status, int32_t wanted)
{
	return wanted == EVENT_STOP ? status >> 16 == EVENT_STOP : status >> 16 == 0 && WSTOPSIG(status) == wanted;
}

/*
 * Until the thread, which runs, stands at an event-stop (EVENT_STOP), at a stop of a system call (SYSCALL_STOP) or where this signal would be
 * delivered. Others on the way are passed over; a stop signal is not forgotten. Returns 0, -errno, or a signal that must not come.
 */
long wait_until(int32_t tid, long request, int32_t wanted, int32_t *stop_signal)
{
	for (int round = 0; round < 1000; round++) {
		int status;
		long ret;

		do
			ret = syscall(SYS_wait4, tid, &status, __WALL, NULL);
		while (ret < 0 && errno == EINTR);
		if (ret < 0)
			return -errno;
		if (!WIFSTOPPED(status))
			return -ESRCH;
		if (is_wanted(status, wanted))
			return 0;
		if (status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP)
			*stop_signal = SIGSTOP;
		else if (status >> 16 == 0 && WSTOPSIG(status) != SYSCALL_STOP)
			return WSTOPSIG(status);
		/* Another stop takes the place of the one that was asked for (ptrace_stop, kernel/signal.c). */
		if (wanted == EVENT_STOP)
			trace(PTRACE_INTERRUPT, tid, 0, 0);
		ret = trace(request, tid, 0, 0);
		if (ret < 0)
			return ret;
	}
	return -ETIMEDOUT;
}

/* Goes on with these registers, if any, `times` times to such a stop. The registers it has there are put into their place. */
EXPORT int64_t frore_native_run(int32_t tid, long request, int32_t wanted, uint32_t times, uint64_t *registers, int32_t *stop_signal)
{
	uint64_t length = REGISTERS;
	long ret = registers ? regset(SETREGSET, tid, NT_PRSTATUS_REGSET, registers, &length) : 0;

	for (uint32_t i = 0; ret == 0 && i < times; i++) {
		ret = trace(request, tid, 0, 0);
		if (ret == 0)
			ret = wait_until(tid, request, wanted, stop_signal);
	}
	length = REGISTERS;
	return ret == 0 && registers ? regset(GETREGSET, tid, NT_PRSTATUS_REGSET, registers, &length) : ret;
}
