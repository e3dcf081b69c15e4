/* Socket options as they were. What this kernel or user does not allow is told and left out. */
#include <linux/filter.h>
#include <asm/socket.h>

#include "kinds.h"

static long set(int fd, uint32_t level, uint32_t name, const void *value, uint32_t length)
{
	struct sock_fprog program = {(uint16_t)(length / sizeof(struct sock_filter)), (struct sock_filter *)value};

	if (level != SOL_SOCKET)
		return sys5(__NR_setsockopt, fd, level, name, (long)value, length);
	switch (name) {
	case SO_ATTACH_FILTER:
		return sys5(__NR_setsockopt, fd, level, name, (long)&program, sizeof(program));
	case SO_RCVBUF: /* root may pass the limit of the machine */
		if (sys5(__NR_setsockopt, fd, level, SO_RCVBUFFORCE, (long)value, length) == 0)
			return 0;
		break;
	case SO_SNDBUF:
		if (sys5(__NR_setsockopt, fd, level, SO_SNDBUFFORCE, (long)value, length) == 0)
			return 0;
		break;
	}
	return sys5(__NR_setsockopt, fd, level, name, (long)value, length);
}

void socket_options(struct fds *f, uint32_t d, const struct frore_socket *row, uint32_t when)
{
	uint32_t i;

	for (i = 0; i < row->option_count; i++) {
		const struct frore_socket_option *o = row_at(f, FRORE_TABLE_SOCKET_OPTION, row->first_option + i);
		char room[64];
		struct text t = text_in(room, sizeof(room));
		long ret;

		if (!o || o->when != when)
			continue;
		ret = set(staged(f, d), o->level, o->name, artefact_bytes(f->a, o->value), o->value.length);
		if (ret >= 0)
			continue;
		text_str(&t, "socket option ");
		text_dec(&t, o->level);
		text_char(&t, '/');
		text_dec(&t, o->name);
		warn_fd(f, d, "cannot be given back", room, ret, 0);
	}
}

int socket_option_was(struct fds *f, const struct frore_socket *row, uint32_t level, uint32_t name, int usual)
{
	uint32_t i;

	for (i = 0; i < row->option_count; i++) {
		const struct frore_socket_option *o = row_at(f, FRORE_TABLE_SOCKET_OPTION, row->first_option + i);

		if (o && o->level == level && o->name == name && o->value.length >= sizeof(usual))
			memcpy(&usual, artefact_bytes(f->a, o->value), sizeof(usual));
	}
	return usual;
}
