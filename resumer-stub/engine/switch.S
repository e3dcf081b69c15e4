/* Stack switches, thread start, and the final code of the resident area. See switch.h. */
#include <asm/unistd.h>

/* Private: a shared futex on a page that is read-only by then is refused (kernel/futex/core.c, get_futex_key) */
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129

#define ENOSYS 38
/* offsets in struct clone_args */
#define CLONE_CHILD_TID 16
#define CLONE_STACK 40
#define CLONE_STACK_SIZE 48
#define CLONE_SET_TID_SIZE 72

	.section .text.switch, "ax", @progbits

/* switch_stack(stack_top, fn, arg) */
	.globl switch_stack
	.type switch_stack, @function
switch_stack:
	mov	%rdi, %rsp
	and	$-16, %rsp
	xor	%ebp, %ebp
	mov	%rdx, %rdi
	call	*%rsi
	ud2

/* clone_thread(clone_args, size, fn, arg) */
	.globl clone_thread
	.type clone_thread, @function
clone_thread:
	mov	%rdx, %r8
	mov	%rcx, %r9
	mov	$__NR_clone3, %eax
	syscall
	cmp	$-ENOSYS, %rax		/* container profiles hide clone3: what needs no set_tid goes by clone, too */
	jne	2f
	cmpq	$0, CLONE_SET_TID_SIZE(%rdi)
	jne	2f
	mov	CLONE_STACK(%rdi), %rsi
	add	CLONE_STACK_SIZE(%rdi), %rsi
	mov	CLONE_CHILD_TID(%rdi), %r10
	xor	%edx, %edx
	mov	(%rdi), %rdi
	mov	$__NR_clone, %eax
	syscall
2:	test	%rax, %rax
	jz	1f
	ret
1:	xor	%ebp, %ebp
	mov	%r9, %rdi
	call	*%r8
	ud2

/* enter_final(code, thread, shared) */
	.globl enter_final
	.type enter_final, @function
enter_final:
	mov	%rsi, %rbx
	mov	%rdx, %rbp
	jmp	*%rdi

	.globl final_code_start, final_code_end, final_leader, final_follower
	.balign 16
final_code_start:

/*
 * Every thread but the leader: say that we are off our stack, then wait until the leader has removed the working area.
 * All signals are blocked, so only the leader's wake-up or a spurious one ends the wait.
 */
final_follower:
	lock incl 4(%rbp)
	mov	%rbp, %rdi
	add	$4, %rdi
	mov	$FUTEX_WAKE_PRIVATE, %esi	/* the leader counts us */
	mov	$1, %edx
	mov	$__NR_futex, %eax
	syscall
1:	mov	%rbp, %rdi
	mov	$FUTEX_WAIT_PRIVATE, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	mov	$__NR_futex, %eax
	syscall
	cmpl	$0, (%rbp)
	je	1b
	/* fall through: a follower's list may hold last calls of its own */

final_leader:
	mov	8(%rbx), %r12		/* list of calls */
2:	mov	(%r12), %rax
	cmp	$-1, %rax
	je	3f
	mov	8(%r12), %rdi
	mov	16(%r12), %rsi
	mov	24(%r12), %rdx
	mov	32(%r12), %r10
	mov	40(%r12), %r8
	mov	48(%r12), %r9
	syscall
	add	$56, %r12
	jmp	2b
3:	mov	(%rbx), %rsp
	mov	$__NR_rt_sigreturn, %eax
	syscall
	hlt
final_code_end:

	.section .note.GNU-stack, "", @progbits
