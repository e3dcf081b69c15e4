/* What waits in a pseudo-terminal: typed but not read by the program, and written by it but not read by the master. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/poll.h>

#include "kinds.h"

#define EAGAIN 11
#define ETIME 62
#define PIECE 256
#define ARRIVES_MS 5000

static int wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return sys3(__NR_poll, (long)&p, 1, ARRIVES_MS) > 0 && p.revents & events;
}

/* Reads and drops `left` bytes of echo. */
static long drop_echo(int master, uint32_t left)
{
	char echo[PIECE];

	while (left) {
		long got = wait_for(master, POLLIN) ? sys_read(master, echo, left < sizeof(echo) ? left : sizeof(echo)) : -ETIME;

		if (got <= 0)
			return got < 0 ? got : -ETIME;
		left -= (uint32_t)got;
	}
	return 0;
}

/*
 * The terminal takes up what is typed in its own time, by the settings of that moment; that it has come back as an echo tells that
 * the settings may change again.
 */
static long type(struct fds *f, int master, const struct frore_pty_pair *p)
{
	const char *bytes = artefact_bytes(f->a, p->input);
	uint32_t at, length, after, left = p->echo;
	long ret = 0;

	for (at = 0; at < p->input.length && ret >= 0; at += length) {
		length = p->input.length - at < PIECE ? p->input.length - at : PIECE;
		ret = sys_write(master, bytes + at, length);
		after = p->echo > at + length ? p->echo - at - length : 0;
		if (ret >= 0 && left > after)
			ret = drop_echo(master, left - after);
		left = after < left ? after : left;
	}
	return ret < 0 ? ret : 0;
}

/* More fits in by small pieces than by large ones: 20 KiB instead of 13 (6.18). */
static long write_patiently(int fd, const uint8_t *bytes, uint32_t length)
{
	while (length) {
		long done = sys_write(fd, bytes, length < PIECE ? length : PIECE);

		if (done < 0 && done != -EAGAIN)
			return done;
		if (done <= 0 && !wait_for(fd, POLLOUT))
			return -EAGAIN;
		if (done > 0) {
			bytes += done;
			length -= (uint32_t)done;
		}
	}
	return 0;
}

/* What waits in both directions, and the settings, which would change it while it is put there. */
long pty_fill(struct fds *f, int master, int slave, const struct frore_pty_pair *p)
{
	long ret = 0;

	if (p->fill_termios.length >= sizeof(struct termios2)) {
		sys_ioctl(master, TCSETS2, artefact_bytes(f->a, p->fill_termios));
		ret = type(f, master, p);
	}
	if (ret == 0 && p->output.length && slave >= 0) {
		struct termios2 modes;

		if (sys_ioctl(master, TCGETS2, &modes) == 0) {
			modes.c_oflag = 0;
			sys_ioctl(master, TCSETS2, &modes);
		}
		ret = write_patiently(slave, artefact_bytes(f->a, p->output), p->output.length);
	}
	if (p->termios.length >= sizeof(struct termios2))
		sys_ioctl(master, TCSETS2, artefact_bytes(f->a, p->termios));
	if (ret == 0)
		ret = write_patiently(master, artefact_bytes(f->a, p->backlog), p->backlog.length);
	return ret < 0 ? refuse(f->r, "cannot fill", "a terminal with what waited in it", -ret, 0) : 0;
}
