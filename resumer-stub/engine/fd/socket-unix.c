/* UNIX sockets with a name: a path is bound again, over what a dead program has left, never over one that lives. */
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/socket.h>
#include <linux/stat.h>
#include <linux/un.h>
#include <linux/unix_diag.h>
#include <asm/stat.h>

#include "kinds.h"

#define AF_UNIX 1
#define AF_NETLINK 16
#define SOCK_RAW 3
#define NETLINK_SOCK_DIAG_PROTOCOL 4
#define ENOENT 2
#define EADDRINUSE 98

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

/* A relative path is meant from the program's working directory, which becomes ours soon anyway. */
static void go_there(const struct fds *f)
{
	const struct frore_task *task = row_at(f, FRORE_TABLE_TASK, f->task);

	if (task)
		sys1(__NR_chdir, (long)artefact_text(f->a, task->cwd));
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
		return ret < 0 ? refuse_address(f, d, row, ret) : 0;
	}
	if (path[0] != '/')
		go_there(f);
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
	return 0;
}
