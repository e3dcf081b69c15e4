/* UNIX sockets with a name: a path is bound again, over what a dead program has left, never over one that lives. */
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/socket.h>
#include <linux/stat.h>
#include <linux/un.h>
#include <linux/unix_diag.h>
#include <asm/socket.h>
#include <asm/stat.h>

#include "kinds.h"

#define AF_UNIX 1
#define AF_NETLINK 16
#define SOCK_RAW 3
#define NETLINK_SOCK_DIAG_PROTOCOL 4
#define ENOENT 2
#define EADDRINUSE 98
#define ECONNABORTED 103
#define AUTOBOUND (2 + 1 + 5)
#define STRANGERS 64 /* how many others may get in between */

/* Is the socket file `ino` on device `dev` bound by a living socket? 1 yes, 0 no, -1 the kernel does not tell. */
static int lives_in(const uint8_t *buffer, long got, uint64_t ino, int *more)
{
	long at = 0;

	while (at + (long)sizeof(struct nlmsghdr) <= got) {
		const struct nlmsghdr *h = (const void *)(buffer + at);
		uint32_t a = sizeof(*h) + sizeof(struct unix_diag_msg);

		*more = h->nlmsg_type != NLMSG_DONE && h->nlmsg_type != NLMSG_ERROR;
		if (!*more || h->nlmsg_len < sizeof(*h) || (long)h->nlmsg_len > got - at)
			return h->nlmsg_type == NLMSG_ERROR ? -1 : 0;
		while (a + sizeof(struct nlattr) <= h->nlmsg_len) {
			const struct nlattr *attribute = (const void *)((const uint8_t *)h + a);
			const struct unix_diag_vfs *vfs = (const void *)(attribute + 1);

			if (attribute->nla_type == UNIX_DIAG_VFS && vfs->udiag_vfs_ino == (uint32_t)ino)
				return 1;
			a += attribute->nla_len < 4 ? 4 : ((uint32_t)attribute->nla_len + 3) & ~3U;
		}
		at += (long)((h->nlmsg_len + 3) & ~3U);
	}
	return 0;
}

static int is_alive(uint64_t ino)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req ask;
	} request = {
		.head = {sizeof(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
		.ask = {.sdiag_family = AF_UNIX, .udiag_states = ~0U, .udiag_show = UDIAG_SHOW_VFS},
	};
	uint8_t buffer[16384] __attribute__((aligned(8)));
	long fd = sys3(__NR_socket, AF_NETLINK, SOCK_RAW | O_CLOEXEC, NETLINK_SOCK_DIAG_PROTOCOL), got;
	int alive = -1, more = 1;

	if (fd < 0)
		return -1;
	if (sys_write((int)fd, &request, sizeof(request)) > 0) {
		alive = 0;
		while (more && alive == 0 && (got = sys_read((int)fd, buffer, sizeof(buffer))) > 0)
			alive = lives_in(buffer, got, ino, &more);
	}
	sys_close((int)fd);
	return alive;
}

/* Somebody listens at the path, or it is no socket: it stays. A name without a socket behind it is removed. */
static long clear_path(const char *path)
{
	struct stat st;

	if (sys4(__NR_newfstatat, AT_CWD, (long)path, (long)&st, 0x100 /* AT_SYMLINK_NOFOLLOW */) < 0)
		return 0;
	if ((st.st_mode & S_IFMT) != S_IFSOCK || is_alive(st.st_ino) != 0)
		return -EADDRINUSE;
	return sys3(__NR_unlinkat, AT_CWD, (long)path, 0);
}

/* A relative path is meant from the working directory of its program; each task finds its own later anyway. */
static void go_there(const struct fds *f, const struct frore_socket *row)
{
	const struct frore_task *task = row_at(f, FRORE_TABLE_TASK, row->base);

	if (task)
		sys1(__NR_chdir, (long)artefact_text(f->a, task->cwd));
}

/* Whoever connects needs the right to write to it. */
static void own_path(const struct fds *f, const struct frore_socket *row, const char *path)
{
	const struct frore_task *task = row_at(f, FRORE_TABLE_TASK, row->base);

	if (task && sys0(__NR_geteuid) == 0)
		sys5(__NR_fchownat, AT_CWD, (long)path, task->fsuid, task->fsgid, 0x100 /* AT_SYMLINK_NOFOLLOW */);
}

long unix_bind(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	const struct sockaddr_un *name = artefact_bytes(f->a, row->local);
	uint32_t length = row->local.length;
	char path[sizeof(name->sun_path) + 1];
	long ret;

	if (length > sizeof(*name) || length <= 2)
		return 0;
	memcpy(path, name->sun_path, length - 2);
	path[length - 2] = 0;
	if (path[0] == 0) {
		ret = sys3(__NR_bind, staged(f, d), (long)name, length);
		/* the kernel's own choice (unix_autobind: five digits) is nothing to insist on */
		if (ret == -EADDRINUSE && length == AUTOBOUND) {
			ret = sys3(__NR_bind, staged(f, d), (long)name, 2);
			warn_fd(f, d, "gets another name:", path + 1, ret, 0);
			return 0;
		}
		return ret < 0 ? refuse_address(f, d, row, ret) : 0;
	}
	if (path[0] != '/')
		go_there(f, row);
	if (row->flags & FRORE_SOCKET_FLAG_UNLINKED) {
		ret = sys3(__NR_bind, staged(f, d), (long)name, length);
		if (ret == 0)
			sys3(__NR_unlinkat, AT_CWD, (long)path, 0);
		else
			warn_fd(f, d, "has no name any more:", path, ret, 0);
		return 0;
	}
	ret = clear_path(path);
	if (ret == 0)
		ret = sys3(__NR_bind, staged(f, d), (long)name, length);
	if (ret == -ENOENT) {
		make_parents(f, path);
		ret = sys3(__NR_bind, staged(f, d), (long)name, length);
	}
	if (ret < 0)
		return refuse_address(f, d, row, ret);
	journal_add(f, path);
	sys3(__NR_fchmodat, AT_CWD, (long)path, row->path_mode);
	own_path(f, row, path);
	return 0;
}

struct pair_job {
	const struct frore_socket *row;
	int to[2];
};

static long make_pair(void *arg)
{
	struct pair_job *job = arg;
	int ends[2];
	long ret = sys4(__NR_socketpair, (int)job->row->domain, (int)job->row->type | O_CLOEXEC, (int)job->row->protocol, (long)ends);

	if (ret < 0)
		return ret;
	ret = move_fd(ends[0], job->to[0]);
	if (ret >= 0)
		ret = move_fd(ends[1], job->to[1]);
	return ret < 0 ? ret : 0;
}

static struct creator creator_of(const struct frore_socket *row)
{
	struct creator who = {row->peer_pid, row->peer_uid, row->peer_gid};

	return who;
}

/* Both ends take the credentials of whoever makes them. */
long unix_pair(struct fds *f, const struct frore_socket *row, int one, int other)
{
	struct pair_job job = {row, {one, other}};

	return as_creator(f, creator_of(row), make_pair, &job);
}

struct listen_job {
	int fd, backlog;
};

static long do_listen(void *arg)
{
	const struct listen_job *job = arg;

	return sys2(__NR_listen, job->fd, job->backlog);
}

/* Those who connect later see the credentials of whoever has called listen(2). */
long unix_listen(struct fds *f, int fd, const struct frore_socket *creator, uint32_t backlog)
{
	struct listen_job job = {fd, backlog > 0x7fffffff ? 0x7fffffff : (int)backlog};

	return as_creator(f, creator_of(creator), do_listen, &job);
}

struct connect_job {
	int fd;
	uint32_t length;
	const void *to;
};

static long do_connect(void *arg)
{
	const struct connect_job *job = arg;

	return sys3(__NR_connect, job->fd, (long)job->to, job->length);
}

static long connect_as(struct fds *f, struct creator who, int fd, struct frore_ref to)
{
	struct connect_job job = {fd, to.length, artefact_bytes(f->a, to)};
	long ret;

	socket_patience(fd, 1);
	ret = as_creator(f, who, do_connect, &job);
	socket_patience(fd, 0);
	return ret;
}

/* The name of a listener that has been closed since: for a moment. */
static long listen_again(struct fds *f, const struct frore_socket *row, const struct frore_socket *peer)
{
	long fd = socket_make(row), ret;

	if (fd < 0)
		return fd;
	ret = socket_bind(f, (int)fd, row->local);
	if (ret == 0)
		ret = unix_listen(f, (int)fd, peer, STRANGERS);
	if (ret == 0)
		return fd;
	sys_close((int)fd);
	return ret;
}

static void close_again(const struct fds *f, const struct frore_socket *row, int fd)
{
	const struct sockaddr_un *name = artefact_bytes(f->a, row->local);
	char path[sizeof(name->sun_path) + 1] = {0};

	sys_close(fd);
	memcpy(path, name->sun_path, row->local.length - 2);
	if (path[0])
		sys3(__NR_unlinkat, AT_CWD, (long)path, 0);
}

/* Somebody else may have come in between: those are turned away. They have another pid than whoever has connected for us. */
static long accept_own(int listener, int32_t creator)
{
	int32_t own = (int32_t)sys0(__NR_getpid);
	int i;

	for (i = 0; i < STRANGERS; i++) {
		struct creator who = {0, 0, 0};
		int length = sizeof(who);
		long fd = socket_accept(listener);

		if (fd < 0)
			return fd;
		sys5(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, (long)&who, (long)&length);
		if (who.pid == own || who.pid == creator)
			return fd;
		sys_close((int)fd);
	}
	return -ECONNABORTED;
}

/* `client` is a number for the other end. */
static long through(struct fds *f, const struct frore_socket *row, const struct frore_socket *peer, int *server, int client)
{
	int known = row->listener != FRORE_NONE;
	long listener, fd = socket_make(peer), ret;

	if (fd < 0)
		return fd;
	ret = move_fd((int)fd, client);
	if (ret < 0)
		return ret;
	listener = known ? staged(f, row->listener) : listen_again(f, row, peer);
	if (listener < 0)
		return listener;
	ret = connect_as(f, creator_of(row), client, row->local);
	if (ret == 0)
		ret = *server = (int)accept_own((int)listener, row->peer_pid);
	if (!known)
		close_again(f, row, (int)listener);
	return ret < 0 ? ret : 0;
}

/* An accepted connection: it has the name of its listener, through which it is made again; without a name where that cannot be. */
long unix_connect(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	const struct frore_socket *peer = socket_at(f, row->peer);
	int server = -1;
	long ret;

	if (!peer || row->local.length <= 2 || row->local.length > sizeof(struct sockaddr_un) ||
	    (row->listener != FRORE_NONE && !socket_at(f, row->listener)))
		return damaged_table(f);
	go_there(f, row);
	ret = through(f, row, peer, &server, staged(f, row->peer));
	if (ret < 0) {
		warn_fd(f, d, "has no name any more:", "a UNIX connection within the target", ret, 0);
		ret = unix_pair(f, row, staged(f, d), staged(f, row->peer));
	} else {
		ret = move_fd(server, staged(f, d));
	}
	if (ret < 0)
		return refuse_fd(f, d, "cannot make", "a UNIX connection", ret, 0);
	socket_options(f, d, row, 0);
	socket_options(f, row->peer, peer, 0);
	return unix_bind(f, row->peer, peer);
}

/* Connected to a listener of the target that has not accepted it; as the task that has it, since nobody knows who has made it. */
long unix_pending(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	const struct frore_task *task = row_at(f, FRORE_TABLE_TASK, row->base);
	struct creator who = {task ? task->pid : 0, task ? task->euid : 0, task ? task->egid : 0};
	long ret = socket_make(row);

	if (stage(f, d, ret, "cannot make", "a socket", 0) < 0 || unix_bind(f, d, row) < 0)
		return -1;
	go_there(f, row);
	ret = connect_as(f, who, staged(f, d), row->remote);
	return ret < 0 ? refuse_fd(f, d, "cannot connect", "to a listener of the target", ret, 0) : 0;
}
