/*
 * Registers of one thread as ptrace shows them: a line of hexadecimal digits, the general ones and
 * then the whole extended state.
 *
 *   regs TID
 */
#include "judge.h"
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

static void print(pid_t tid, long set)
{
	static unsigned char state[32768];
	struct iovec iov = {state, sizeof(state)};

	MUST(ptrace(PTRACE_GETREGSET, tid, set, &iov));
	for (size_t i = 0; i < iov.iov_len; i++)
		printf("%02x", state[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	pid_t tid = argc > 1 ? atoi(argv[1]) : 0;
	int status;

	judge_subject = "regs";
	MUST(ptrace(PTRACE_SEIZE, tid, 0, 0));
	MUST(ptrace(PTRACE_INTERRUPT, tid, 0, 0));
	MUST(waitpid(tid, &status, __WALL));
	print(tid, NT_PRSTATUS);
	print(tid, NT_X86_XSTATE);
	MUST(ptrace(PTRACE_DETACH, tid, 0, 0));
	return 0;
}
