/* The last code that runs before the target: it lies in the resident area, uses no stack and executes a ready list. */
#ifndef FRORE_SWITCH_H
#define FRORE_SWITCH_H

#include <stdint.h>

#define RESIDENT_MAGIC 0x53455245524f5246ULL /* "FRORERES" */

/* One system call of a ready list; the loop ends at number ~0. */
struct final_call {
	int64_t number;
	int64_t args[6];
};

#define FINAL_END (-1)

/*
 * Start of the resident area: magic and own address identify it to a later freeze; the code follows in the same page.
 * The data pages behind hold one final_thread per thread.
 */
struct resident_header {
	uint64_t magic;
	uint64_t address;
};

/* What a thread needs at the very end. */
struct final_thread {
	uint64_t frame; /* rsp for rt_sigreturn */
	uint64_t calls; /* struct final_call list */
};

/* State shared by the threads, at the start of the data pages. */
struct final_shared {
	uint32_t go;	 /* futex: 1 when the area is gone */
	uint32_t parked; /* threads that wait in the resident code */
};

#define FINAL_SHARED_GO 0
#define FINAL_SHARED_PARKED 4

#ifndef __ASSEMBLER__
/* Position-independent code, copied behind the resident header. */
extern const uint8_t final_code_start[], final_code_end[];
extern const uint8_t final_leader[], final_follower[];

/* Runs fn(arg) on another stack; never returns. */
_Noreturn void switch_stack(uint64_t stack_top, void (*fn)(void *), void *arg);
/* clone3 of a thread that runs fn(arg) on the stack given in args; returns the tid or -errno to the caller. */
long clone_thread(const void *clone_args, uint64_t size, void (*fn)(void *), void *arg);
/* Jumps to final code at `code` with the final_thread in rbx and the final_shared in rbp. */
_Noreturn void enter_final(uint64_t code, struct final_thread *thread, struct final_shared *shared);
#endif

#endif
