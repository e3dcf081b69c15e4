/* Entry of the stub, and the return from its own signal handlers. */
#include <asm/unistd.h>

	.section .text.start, "ax", @progbits
	.globl _start
	.type _start, @function
_start:
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	stub_main
	ud2

	.globl stub_sigreturn
	.type stub_sigreturn, @function
stub_sigreturn:
	mov	$__NR_rt_sigreturn, %eax
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
