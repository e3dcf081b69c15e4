/*
 * What the kinds of descriptors share. While a task is resumed every description stands at a number of its own ("staged"), above or
 * between the wanted ones: description d at base + d, contents behind them. The numbers follow from the tables alone, so there is
 * nothing to remember from one stage to the next.
 */
#ifndef FRORE_KINDS_H
#define FRORE_KINDS_H

#include <linux/fcntl.h>

#include "../../resume.h"
#include "../../text.h"
#include "fd.h"

#define PATH_ROOM 4096
/* What calls return for a moment has numbers below the staged ones, so that it never lands among them. */
#define FIRST_TEMPORARY 3
#define FIRST_STAGED (FIRST_TEMPORARY + 32)
#define KEPT_ROOM 32 /* numbers behind the contents: the journal, then what the engine still needs */

struct fds {
	struct resume *r;
	const struct artefact *a;
	const struct frore_description *description;
	const struct frore_content *content;
	const struct frore_fd *fd; /* of this task, ascending */
	uint64_t fd_count;
	uint32_t task, descriptions, contents;
	int base;
};

/* table.c */
long fds_load(struct fds *f, struct resume *r, uint32_t task);
static inline int staged(const struct fds *f, uint32_t d)
{
	return f->base + (int)d;
}
static inline int staged_content(const struct fds *f, uint32_t c)
{
	return f->base + (int)f->descriptions + (int)c;
}
/* The read-only twin of a memfd that will be sealed against writing. */
static inline int staged_readonly(const struct fds *f, uint32_t c)
{
	return staged_content(f, f->contents + c);
}
static inline int journal_fd(const struct fds *f)
{
	return staged_content(f, 2 * f->contents);
}
/* How many numbers are staged from base on. */
static inline int room_needed(const struct fds *f)
{
	return (int)f->descriptions + 2 * (int)f->contents + KEPT_ROOM;
}
int is_open(int fd);
/* Takes `from` to the number `to`, close-on-exec. */
long move_fd(int from, int to);
/* Row `index` of a table, 0 when it is outside. */
const void *row_at(const struct fds *f, uint32_t table, uint32_t index);
/* Takes over `fd` (a result of a call: negative is -errno) as description d; -1 after refusing. */
long stage(struct fds *f, uint32_t d, long fd, const char *what, const char *thing, const char *hint);
/* Puts `fd` where something else stood for it meanwhile: at every number of this task that leads to d. */
void replace_staged(struct fds *f, uint32_t d, int fd);
/* A descriptor of this task that leads to d, -1 when there is none. */
int wanted_fd(const struct fds *f, uint32_t d);
long damaged_table(const struct fds *f);
/* refuse() with the descriptor in front: "<what> fd 7 (<thing>)". */
long refuse_fd(struct fds *f, uint32_t d, const char *what, const char *thing, long err, const char *hint);
void warn_fd(struct fds *f, uint32_t d, const char *what, const char *thing, long err, const char *hint);

/* "is the original (process 4121) still running?" */
void hint_original(const struct fds *f, struct text *hint);

/* override.c: --map, --fd and --external of the artefact's own command line. */
const char *mapped_path(const struct fds *f, const char *path, char *room);
const char *override_of(const struct fds *f, uint32_t d);
long override_open(struct fds *f, uint32_t d, const char *what);

/* journal.c: files made by a resume that may still fail. */
void journal_open(struct fds *f);
void journal_add(struct fds *f, const char *path);
void journal_undo(struct fds *f);
/* Makes the directories above a path that is missing. */
void make_parents(struct fds *f, const char *path);

/* content.c */
long contents_open(struct fds *f);
long content_reopen(struct fds *f, uint32_t content, int flags);
/* Opens a descriptor of ours once more, with its own offset. */
long reopen(int fd, int flags);

/* One per kind: makes the description and stages it. */
long file_open(struct fds *f, uint32_t d, const struct frore_file *row);
long inherit_open(struct fds *f, uint32_t d, const struct frore_inherit *row);
long tty_open(struct fds *f, uint32_t d, const struct frore_tty *row);
long pipe_open(struct fds *f, uint32_t d, const struct frore_pipe *row);
long pipe_fill(struct fds *f, int read_end, int write_end, const struct frore_pipe_object *object);
long fifo_open(struct fds *f, uint32_t d, const struct frore_file *row, const char *path);
long eventfd_open(struct fds *f, uint32_t d, const struct frore_eventfd *row);
long epoll_open(struct fds *f, uint32_t d);
long timerfd_open(struct fds *f, uint32_t d, const struct frore_timerfd *row);
long signalfd_open(struct fds *f, uint32_t d, const struct frore_signalfd *row);
long inotify_open(struct fds *f, uint32_t d);
long memfd_open(struct fds *f, uint32_t d, const struct frore_memfd *row);
long pidfd_open(struct fds *f, uint32_t d, const struct frore_pidfd *row);
long socket_open(struct fds *f, uint32_t d, const struct frore_socket *row);
long hangup_open(struct fds *f, uint32_t d, const struct frore_hangup *row);
long pty_open(struct fds *f, uint32_t d);
/* How many descriptors are needed meanwhile, above all others. */
int pty_surplus(const struct fds *f);
/* Row of description d, 0 when it is no end of a pseudo-terminal. */
const struct frore_pty *pty_row(const struct fds *f, uint32_t d);
/* The slave of a master, as a new description. */
long pty_open_peer(int master, int mode);
/* pty-queue.c: what waits in both directions, and the settings. */
long pty_fill(struct fds *f, int master, int slave, const struct frore_pty_pair *p);

/*
 * Further rounds of sockets: connections among each other, listening and what waits to be accepted, what waits in queues, and what would
 * keep those from being filled.
 */
long socket_connect(struct fds *f, uint32_t d, const struct frore_socket *row);
long socket_listen(struct fds *f, uint32_t d, const struct frore_socket *row);
long socket_queue(struct fds *f, uint32_t d, const struct frore_socket *row);
long socket_complete(struct fds *f, uint32_t d, const struct frore_socket *row);
/* Row of the socket behind description d, 0 when it is none. */
const struct frore_socket *socket_at(const struct fds *f, uint32_t d);
/* Row of its other end, 0 when that is closed or something else is put in its place. */
const struct frore_socket *socket_peer(const struct fds *f, const struct frore_socket *row);
void socket_set_int(int fd, int level, int name, int value);
long socket_bind(const struct fds *f, int fd, struct frore_ref address);
long socket_make(const struct frore_socket *row);
/* Waits some seconds for a connection to accept; its descriptor, or -errno. */
long socket_accept(int listener);
/* connect(2) on it waits some seconds, or for ever. */
void socket_patience(int fd, int limited);

/* socket-options.c: the options of `when`; failures are told, not fatal. */
void socket_options(struct fds *f, uint32_t d, const struct frore_socket *row, uint32_t when);
/* Value of an integer option as it was, `usual` when it is not among those that are carried. */
int socket_option_was(struct fds *f, const struct frore_socket *row, uint32_t level, uint32_t name, int usual);
/* socket-tcp.c */
long tcp_bind(struct fds *f, uint32_t d, const struct frore_socket *row);
long tcp_connect(struct fds *f, uint32_t d, const struct frore_socket *row);
long tcp_pending(struct fds *f, uint32_t d, const struct frore_socket *row);
/* socket-unix.c */
long unix_bind(struct fds *f, uint32_t d, const struct frore_socket *row);
long unix_pair(struct fds *f, const struct frore_socket *row, int one, int other);
long unix_listen(struct fds *f, int fd, const struct frore_socket *creator, uint32_t backlog);
long unix_connect(struct fds *f, uint32_t d, const struct frore_socket *row);
long unix_pending(struct fds *f, uint32_t d, const struct frore_socket *row);
/* socket-queue.c: puts what waited in a receive queue back; `sender` is its other end, or -1. */
long socket_fill(struct fds *f, uint32_t d, const struct frore_socket *row, int sender);
/* socket-holder.c: is a TCP port kept by connections that have ended, while nobody listens? */
int port_lingers(const struct fds *f, const struct frore_socket *row);
/* Refuses a bind, naming who has the address. */
long refuse_address(struct fds *f, uint32_t d, const struct frore_socket *row, long err);

/* creator.c: what the kernel remembers of who has made a connection or sent a message. */
struct creator {
	int32_t pid; /* 0: nobody in particular */
	uint32_t uid, gid;
};
/* Calls act(arg), which returns 0 or -errno, in a process with that pid and those ids, or in this one where that cannot be had. */
long as_creator(struct fds *f, struct creator who, long (*act)(void *arg), void *arg);

/* Last: what must find everything else in its place. */
long pidfd_finish(struct fds *f, uint32_t d, const struct frore_pidfd *row);
long file_finish(struct fds *f, uint32_t d, const struct frore_file *row);
long epoll_finish(struct fds *f, uint32_t d, const struct frore_epoll *row);
long timerfd_finish(struct fds *f, uint32_t d, const struct frore_timerfd *row);
long inotify_finish(struct fds *f, uint32_t d, const struct frore_inotify *row);
long owner_finish(struct fds *f, uint32_t d);
long locks_finish(struct fds *f, int posix);

#endif
