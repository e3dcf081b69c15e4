/*
 * A program on a terminal: tells its size when that changes, answers lines, and ends as it is told:
 * "size", "termios", "ids", "exit N", "abort". It keeps ECHO off and VERASE at '#'.
 */
#include "judge.h"
#include <sys/ioctl.h>
#include <termios.h>

static volatile sig_atomic_t resized, continued;

static void on_signal(int signo)
{
	if (signo == SIGWINCH)
		resized = 1;
	else
		continued = 1;
}

static void tell_size(const char *why)
{
	struct winsize size = {0};

	ioctl(0, TIOCGWINSZ, &size);
	say("%s %dx%d", why, size.ws_col, size.ws_row);
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct termios old, own;
	char line[100];

	MUST(tcgetattr(0, &old));
	own = old;
	own.c_lflag &= ~ECHO;
	own.c_cc[VERASE] = '#';
	MUST(tcsetattr(0, TCSANOW, &own));
	sigaction(SIGWINCH, &action, NULL);
	sigaction(SIGCONT, &action, NULL);
	say("started");
	for (;;) {
		ssize_t got = read(0, line, sizeof(line) - 1);
		int code;

		if (resized) {
			resized = 0;
			tell_size("resized");
		}
		if (continued) {
			continued = 0;
			tcsetattr(0, TCSANOW, &own);
			say("continued");
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		line[got] = 0;
		if (strcmp(line, "size\n") == 0) {
			tell_size("size");
		} else if (strcmp(line, "termios\n") == 0) {
			struct termios now;

			tcgetattr(0, &now);
			say("termios %s %c", now.c_lflag & ECHO ? "echo" : "quiet", now.c_cc[VERASE]);
		} else if (strcmp(line, "ids\n") == 0) {
			say("ids pid %d group %d foreground %d", getpid() == getpgrp(), getpgrp() > 0,
			    tcgetpgrp(0) == getpgrp());
		} else if (sscanf(line, "exit %d", &code) == 1) {
			return code;
		} else if (strcmp(line, "abort\n") == 0) {
			abort();
		} else {
			say("got %s", strtok(line, "\n"));
		}
	}
	say("end of input");
	return 0;
}
