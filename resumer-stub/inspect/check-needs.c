/* What a resume needs of this machine besides processor and pids: files, addresses to listen at, room. */
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "out.h"

#define R_OK 4
#define W_OK 2
#define EADDRINUSE 98
#define AF_INET 2
#define AF_INET6 10
#define SOCK_CLOEXEC 02000000
#define SOL_SOCKET 1
#define SO_REUSEADDR 2

static void need_file(struct resume *r, struct out *o, const char *path, int mode)
{
	long ret = sys3(__NR_faccessat, AT_FDCWD, (long)path, mode);

	if (ret < 0)
		refuse(r, "it needs", path, -ret, "put the file there, or name another one with --map OLD=NEW");
	check_reason(r, o);
}

/* Is a --fd or --map option about? Then the option decides, not the path. */
static int replaced(const struct resume *r)
{
	int i;

	for (i = 1; i < r->options.argc; i++)
		if (text_starts(r->options.argv[i], "--map") || text_starts(r->options.argv[i], "--fd"))
			return 1;
	return 0;
}

void check_files(struct resume *r, struct out *o)
{
	const struct artefact *a = &r->artefact;
	uint64_t descriptions, files, images, i;
	const struct frore_description *d = artefact_table(a, FRORE_TABLE_DESCRIPTION, &descriptions);
	const struct frore_file *f = artefact_table(a, FRORE_TABLE_FILE, &files);
	const struct frore_image *m = artefact_table(a, FRORE_TABLE_IMAGE, &images);

	for (i = 0; i < descriptions && !replaced(r); i++) {
		const struct frore_file *file = d[i].row < files ? &f[d[i].row] : 0;
		int access;

		if (d[i].kind != FRORE_KIND_FILE || !file)
			continue;
		if (file->flags & (FRORE_FILE_DELETED | FRORE_FILE_EMBEDDED | FRORE_FILE_PROC))
			continue;
		access = file->flags & FRORE_FILE_PATH_ONLY	   ? 0
			 : (file->open_flags & O_ACCMODE) == O_RDONLY ? R_OK
			 : (file->open_flags & O_ACCMODE) == O_WRONLY ? W_OK
								       : R_OK | W_OK;
		need_file(r, o, artefact_text(a, file->path), access);
	}
	for (i = 0; i < images && !replaced(r); i++)
		if (m[i].flags & FRORE_IMAGE_NOT_EMBEDDED)
			need_file(r, o, artefact_text(a, m[i].path), R_OK);
}

static void name_port(struct text *t, const uint8_t *address)
{
	text_str(t, "port ");
	text_dec(t, address[2] << 8 | address[3]);
}

/* Binds and closes again: SO_REUSEADDR, so that only a live holder refuses. */
static void need_address(struct resume *r, struct out *o, const struct frore_socket *s)
{
	const uint8_t *address = artefact_bytes(&r->artefact, s->local);
	char name[32];
	struct text t = text_in(name, sizeof(name));
	int one = 1;
	long fd = sys3(__NR_socket, s->domain, (s->type & 15) | SOCK_CLOEXEC, s->protocol), ret;

	if (fd < 0)
		return;
	sys5(__NR_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, (long)&one, sizeof(one));
	ret = sys3(__NR_bind, fd, (long)address, s->local.length);
	if (ret == 0 && s->state == FRORE_SOCKET_LISTENING)
		ret = sys2(__NR_listen, fd, 1);
	sys_close((int)fd);
	if (ret == 0)
		return;
	name_port(&t, address);
	refuse(r, "it cannot have", name, -ret, ret == -EADDRINUSE ? "is the original still running?" : 0);
	check_reason(r, o);
}

void check_sockets(struct resume *r, struct out *o)
{
	uint64_t count, i;
	const struct frore_socket *s = artefact_table(&r->artefact, FRORE_TABLE_SOCKET, &count);

	for (i = 0; i < count; i++)
		if ((s[i].domain == AF_INET || s[i].domain == AF_INET6) && s[i].state == FRORE_SOCKET_LISTENING &&
		    s[i].local.length >= 8)
			need_address(r, o, &s[i]);
}

static void need_room(struct resume *r, struct out *o, uint32_t resource, uint64_t need, const char *what, const char *hint)
{
	struct rlimit have;
	char line[64];
	struct text t = text_in(line, sizeof(line));

	if (sys2(__NR_getrlimit, resource, (long)&have) < 0 || need <= have.rlim_cur)
		return;
	text_dec(&t, (int64_t)need);
	text_str(&t, " ");
	text_str(&t, what);
	text_str(&t, ", the limit is ");
	text_dec(&t, (int64_t)have.rlim_cur);
	refuse(r, "it needs", line, 0, hint);
	check_reason(r, o);
}

void check_limits(struct resume *r, struct out *o)
{
	const struct artefact *a = &r->artefact;
	uint64_t vmas, fds, i, mapped = 0, highest = 0;
	const struct frore_vma *v = artefact_table(a, FRORE_TABLE_VMA, &vmas);
	const struct frore_fd *f = artefact_table(a, FRORE_TABLE_FD, &fds);

	for (i = 0; i < vmas; i++)
		mapped += v[i].end - v[i].start;
	for (i = 0; i < fds; i++)
		if (f[i].fd >= 0 && (uint64_t)f[i].fd > highest)
			highest = (uint64_t)f[i].fd;
	need_room(r, o, RLIMIT_AS, mapped, "bytes of address space", "raise ulimit -v");
	need_room(r, o, RLIMIT_NOFILE, highest + 1, "descriptors", "raise ulimit -n");
}
