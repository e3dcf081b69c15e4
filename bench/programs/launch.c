/*
 * launch TIMES LOG COMMAND...: runs a command that resumes bench/programs/beat.c, to its end; prints the microseconds from before its execve
 * to the target's first instruction, as the target has written it to LOG, one line each time.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common.h"

/* Nanoseconds, or 0. */
static int64_t first_instruction(const char *log)
{
	FILE *file = fopen(log, "r");
	long long at = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "resumed %lld", &at) == 1)
			break;
	if (file)
		fclose(file);
	return at;
}

static int launch(const char *log, char **command)
{
	int64_t start, first;
	int status;
	pid_t pid;

	if (truncate(log, 0) < 0)
		return -1;
	/* The time of day: it is the one clock that no resume sets back. */
	start = clock_ns(CLOCK_REALTIME);
	pid = vfork();
	if (pid == 0) {
		execvp(command[0], command);
		_exit(126);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -1;
	/* What a tree leaves behind must be gone before its pids are wanted again. */
	while (wait(NULL) > 0)
		;
	first = first_instruction(log);
	if (first == 0) {
		fprintf(stderr, "%s ended with status %x and resumed nothing\n", command[0], status);
		return -1;
	}
	printf("%.1f\n", (double)(first - start) / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	int out = argc > 3 ? dup(1) : -1, null = open("/dev/null", O_RDWR);

	if (out < 0 || null < 0)
		return 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* The command says nothing where the figures go. */
	stdout = fdopen(out, "w");
	fcntl(out, F_SETFD, FD_CLOEXEC);
	dup2(null, 0);
	dup2(null, 1);
	close(null);
	for (int i = 0; i < atoi(argv[1]); i++)
		if (launch(argv[2], argv + 3) < 0)
			return 1;
	return fclose(stdout) != 0;
}
