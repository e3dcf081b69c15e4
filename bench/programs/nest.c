/*
 * nest COMMAND...: runs a command in a session of its own and takes leave of everything that it leaves behind, so that the pids of a tree
 * that has ended are free at once. Ends as the command does.
 */
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status, first = 1;
	pid_t pid, gone;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = argc > 1 ? fork() : -1;
	if (pid == 0) {
		setsid();
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	while ((gone = wait(&status)) > 0)
		if (gone == pid)
			first = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return first;
}
