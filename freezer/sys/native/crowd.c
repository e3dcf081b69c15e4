/*
 * Lets many threads of a process answer the same question at once: each works through a list of calls of its own, in front of a landing
 * of its own (crowd.ts). One after the other, two switches and a move to the tracer's processor would be paid for each of them.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "trace.h"

struct asked {
	int32_t tid;
	int32_t result; /* 0, or -errno; a signal when the thread did something else than to answer */
	int32_t stop_signal; /* came in between, to be sent again after the release */
	int32_t begun;
	uint64_t original[REGISTERS / 8]; /* struct user_regs_struct */
	uint64_t mask;
};

/*
 * In the data of the target stands a block for every thread: what it lands with, and its form. In the code stands a stub for each: the
 * last two instructions of its landing.
 */
struct question {
	int32_t mem; /* /proc/PID/mem */
	int32_t pid;
	int32_t signal; /* nobody heeds it; the end of the list lets it in, and so the thread stops there */
	uint32_t most; /* threads for which there is room at a time */
	uint32_t slots_length, form_length;
	uint32_t stub_slot; /* where in the slots the address of the stub stands */
	uint32_t list, calls; /* where in the form the calls begin, and how many they are */
	uint32_t pad0;
	uint64_t data, stubs, entry;
};

enum { R13 = 2, R12 = 3, RBX = 5, ORIG_RAX = 15, RIP = 16 }; /* user_regs_struct */

#define STUB 24
#define CALL_WORDS 8
#define ARGUMENTS 6

static int write_at(int mem, uint64_t at, const void *bytes, uint64_t length)
{
	return pwrite(mem, bytes, length, (off_t)at) == (ssize_t)length ? 0 : -EIO;
}

static int read_from(int32_t pid, uint64_t at, void *bytes, uint64_t length)
{
	struct iovec local = {bytes, length}, remote = {(void *)at, length};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)length ? 0 : -EFAULT;
}

/* The form of another thread: what pointed into the first one points into this one. */
static void fill_form(const struct question *q, uint8_t *to, const uint8_t *form, uint64_t shift)
{
	uint64_t first = q->data + q->slots_length, *call = (uint64_t *)(to + q->list);

	memcpy(to, form, q->form_length);
	for (uint32_t i = 0; i < q->calls; i++, call += CALL_WORDS)
		for (uint32_t k = 1; k <= ARGUMENTS; k++)
			if (call[k] >= first && call[k] < first + q->form_length)
				call[k] += shift;
}

/* mov r13, imm64; jmp [rip]; the address */
static void fill_stub(uint8_t *stub, const uint64_t *landing)
{
	static const uint8_t code[] = {0x49, 0xbd}, jump[] = {0xff, 0x25, 0, 0, 0, 0};

	memcpy(stub, code, sizeof(code));
	memcpy(stub + 2, &landing[R13], 8);
	memcpy(stub + 10, jump, sizeof(jump));
	memcpy(stub + 16, &landing[RIP], 8);
}

static long set_mask(int32_t tid, uint64_t mask)
{
	return trace(SETSIGMASK, tid, 8, (uint64_t)&mask);
}

static long begin(const struct question *q, struct asked *a, uint64_t block)
{
	uint64_t registers[REGISTERS / 8], length = REGISTERS;
	long ret;

	memcpy(registers, a->original, sizeof(registers));
	registers[RIP] = q->entry;
	registers[RBX] = block + q->slots_length + q->list;
	registers[R12] = q->calls;
	registers[R13] = block;
	registers[ORIG_RAX] = ~0ULL; /* no call that is to begin again */
	ret = regset(SETREGSET, a->tid, NT_PRSTATUS_REGSET, registers, &length);
	if (ret < 0)
		return ret;
	a->begun = 1;
	ret = set_mask(a->tid, ~0ULL);
	if (ret == 0 && syscall(SYS_tgkill, q->pid, a->tid, q->signal) < 0)
		ret = -errno;
	return ret == 0 ? trace(PTRACE_CONT, a->tid, 0, 0) : ret;
}

/*
 * The thread stops where the signal would be delivered: that is inside the kernel's handling of signals, so that registers which ask
 * for the restart of a call are heeded when it goes on, as they are at an event-stop. Should the freezer die, the signal is ignored.
 */
static void end(const struct question *q, struct asked *a)
{
	uint64_t length = REGISTERS;
	long ret, back;

	if (!a->begun)
		return;
	ret = a->result == 0 ? wait_until(a->tid, PTRACE_CONT, q->signal, &a->stop_signal) : a->result;
	back = set_mask(a->tid, a->mask);
	if (back == 0)
		back = regset(SETREGSET, a->tid, NT_PRSTATUS_REGSET, a->original, &length);
	a->result = (int32_t)(ret ? ret : back);
}

static long ask_some(const struct question *q, struct asked *asked, uint32_t count, const uint8_t *slots, const uint8_t *form,
		     uint8_t *blocks, uint8_t *stubs, uint8_t *answers)
{
	uint64_t stride = q->slots_length + q->form_length;
	long ret;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t *block = blocks + i * stride;
		uint64_t stub = q->stubs + (uint64_t)i * STUB;

		memcpy(block, slots + (uint64_t)i * q->slots_length, q->slots_length);
		memcpy(block + q->stub_slot, &stub, 8);
		fill_stub(stubs + (uint64_t)i * STUB, (const uint64_t *)block);
		fill_form(q, block + q->slots_length, form, i * stride);
	}
	ret = write_at(q->mem, q->data, blocks, count * stride);
	if (ret == 0)
		ret = write_at(q->mem, q->stubs, stubs, (uint64_t)count * STUB);
	for (uint32_t i = 0; ret == 0 && i < count; i++)
		ret = asked[i].result = (int32_t)begin(q, &asked[i], q->data + i * stride);
	for (uint32_t i = 0; i < count; i++) {
		end(q, &asked[i]);
		if (ret == 0)
			ret = asked[i].result;
	}
	if (ret == 0)
		ret = read_from(q->pid, q->data, blocks, count * stride);
	for (uint32_t i = 0; ret == 0 && i < count; i++)
		memcpy(answers + (uint64_t)i * q->form_length, blocks + i * stride + q->slots_length, q->form_length);
	return ret;
}

/*
 * `slots` and `answers` hold one after the other for each thread, `form` is that of the first. Returns 0, or what went wrong (as a
 * result); every thread is as it was found then, too, if it is still there.
 */
EXPORT int64_t frore_native_ask(const struct question *q, struct asked *asked, uint32_t count, const uint8_t *slots,
				const uint8_t *form, uint8_t *answers)
{
	uint64_t stride = q->slots_length + q->form_length;
	uint8_t *blocks = malloc(q->most * stride), *stubs = malloc((uint64_t)q->most * STUB);
	long ret = blocks && stubs ? 0 : -ENOMEM;

	for (uint32_t i = 0; ret == 0 && i < count; i += q->most)
		ret = ask_some(q, asked + i, count - i < q->most ? count - i : q->most, slots + (uint64_t)i * q->slots_length, form,
			       blocks, stubs, answers + (uint64_t)i * q->form_length);
	free(blocks);
	free(stubs);
	return ret;
}
