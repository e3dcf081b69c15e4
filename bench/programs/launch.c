/* launch TIMES FILE: runs FILE; prints the microseconds from before its execve to the first byte that it writes, one line each time. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int launch(const char *file)
{
	int ends[2], status;
	int64_t start, first;
	ssize_t got;
	char byte;
	pid_t pid;

	if (pipe(ends) < 0)
		return 1;
	start = now();
	pid = vfork();
	if (pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		execl(file, file, (char *)0);
		_exit(126);
	}
	close(ends[1]);
	got = read(ends[0], &byte, 1);
	first = now();
	close(ends[0]);
	if (waitpid(pid, &status, 0) < 0 || status != 0 || got != 1)
		return 1;
	printf("%.1f\n", (double)(first - start) / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 0; argc > 2 && i < atoi(argv[1]); i++)
		if (launch(argv[2]))
			return 1;
	return argc > 2 ? 0 : 2;
}
