/* ptrace(2) as all that works through lists of threads needs it. */
#ifndef FRORE_TRACE_H
#define FRORE_TRACE_H

#include <errno.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REGISTERS 216
#define NT_PRSTATUS_REGSET 1
#define NT_X86_XSTATE_REGSET 0x202
#define GETREGSET 0x4204
#define SETREGSET 0x4205
#define PEEKSIGINFO 0x4209
#define GETSIGMASK 0x420a
#define SETSIGMASK 0x420b
#define GET_RSEQ_CONFIGURATION 0x420f
#define EVENT_STOP 128

static inline long trace(long request, int32_t tid, uint64_t address, uint64_t data)
{
	return syscall(SYS_ptrace, request, tid, address, data) < 0 ? -errno : 0;
}

static inline long regset(long request, int32_t tid, uint64_t type, void *bytes, uint64_t *length)
{
	struct iovec iov = {bytes, *length};
	long ret = trace(request, tid, type, (uint64_t)&iov);

	*length = iov.iov_len;
	return ret;
}

/* threads.c: see there. */
long wait_until(int32_t tid, long request, int32_t wanted, int32_t *stop_signal);

#endif
