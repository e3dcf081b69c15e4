/* Terminals: the controlling one is the launcher's, others are opened by path and set as they were. */
#include <asm/ioctls.h>
#include <asm/termbits.h>

#include "kinds.h"

/* A terminal of the launcher: the one chosen for the target, or else the first of its stdio. */
static int launcher_terminal(const struct fds *f)
{
	struct termios2 modes;
	int fd;

	if (f->r->terminal_fd >= 0)
		return f->r->terminal_fd;
	for (fd = 0; fd <= 2; fd++)
		if (sys_ioctl(fd, TCGETS2, &modes) == 0)
			return fd;
	return -1;
}

static long open_controlling(struct fds *f, uint32_t d, const struct frore_tty *row)
{
	int terminal = launcher_terminal(f);
	long fd;

	if (terminal < 0)
		return refuse_fd(f, d, "cannot open", "the terminal: there is none here", 0, "run it on a terminal, or with --detach");
	fd = reopen(terminal, (int)row->open_flags & O_ACCMODE);
	if (fd < 0)
		fd = sys_open("/dev/tty", ((int)row->open_flags & O_ACCMODE) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0) /* another user's terminal, as after su: share its description */
		fd = sys_fcntl(terminal, F_DUPFD_CLOEXEC, 0);
	return stage(f, d, fd, "cannot open", "the terminal", 0);
}

long tty_open(struct fds *f, uint32_t d, const struct frore_tty *row)
{
	char room[PATH_ROOM];
	const char *path = mapped_path(f, artefact_text(f->a, row->path), room);
	long fd;

	if (row->flags & FRORE_TTY_CONTROLLING)
		return open_controlling(f, d, row);
	fd = sys_open(path, ((int)row->open_flags & O_ACCMODE) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	if (stage(f, d, fd, "cannot open", path, "put it back, or use --map OLD=NEW") < 0)
		return -1;
	if (row->termios.length >= sizeof(struct termios2))
		sys_ioctl(staged(f, d), TCSETS2, artefact_bytes(f->a, row->termios));
	if (row->flags & FRORE_TTY_EXCLUSIVE)
		sys_ioctl(staged(f, d), TIOCEXCL, 0);
	return 0;
}
