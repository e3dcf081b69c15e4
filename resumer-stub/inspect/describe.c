/* Sums and words for what the tables hold. */
#include "out.h"

static const char codecs[] = "none\0zstd\0lz4\0flate\0gzip\0snappy\0";
static const char kinds[] = "file\0inherit\0tty\0pipe\0eventfd\0epoll\0timerfd\0signalfd\0inotify\0memfd\0pidfd\0socket\0hangup\0";

/* The n-th of names that stand one after the other. */
static const char *nth(const char *names, uint32_t n)
{
	while (n-- && *names)
		names += text_length(names) + 1;
	return *names ? names : "?";
}

const char *codec_name(uint32_t codec)
{
	return nth(codecs, codec);
}

const char *kind_name(uint32_t kind)
{
	return nth(kinds, kind);
}

struct task_sum sum_task(const struct artefact *a, uint32_t task)
{
	struct task_sum sum = {0, 0, 0, 0, 0};
	uint64_t tasks, vmas, fds, i;
	const struct frore_task *t = artefact_table(a, FRORE_TABLE_TASK, &tasks);
	const struct frore_vma *v = artefact_table(a, FRORE_TABLE_VMA, &vmas);
	const struct frore_fd *f = artefact_table(a, FRORE_TABLE_FD, &fds);

	for (i = 0; i < vmas; i++)
		if (v[i].mm == t[task].mm) {
			sum.mapped += v[i].end - v[i].start;
			sum.mappings++;
		}
	for (i = 0; i < a->run_count; i++) {
		const struct frore_run *run = &a->runs[i];

		if (run->space != FRORE_SPACE_MM || run->index != t[task].mm)
			continue;
		if (run->source == FRORE_SOURCE_STORED)
			sum.stored += run->length;
		else if (run->source == FRORE_SOURCE_IMAGE || run->source == FRORE_SOURCE_SAME)
			sum.from_files += run->length;
	}
	for (i = 0; i < fds; i++)
		sum.descriptors += f[i].task == task;
	return sum;
}

static void describe_address(struct out *o, const struct artefact *a, struct frore_ref ref)
{
	const uint8_t *s = artefact_bytes(a, ref);
	uint32_t family = ref.length >= 2 ? (uint32_t)s[0] | (uint32_t)s[1] << 8 : 0, i;

	if (family == 2 && ref.length >= 8) {
		for (i = 0; i < 4; i++) {
			out_dec(o, s[4 + i]);
			out_str(o, i < 3 ? "." : ":");
		}
		out_dec(o, s[2] << 8 | s[3]);
	} else if (family == 10 && ref.length >= 4) {
		out_str(o, "IPv6 port ");
		out_dec(o, s[2] << 8 | s[3]);
	} else if (family == 1 && ref.length > 2) {
		for (i = 2; i < ref.length && (s[i] || i == 2); i++)
			out_printable(o, s[i] ? (const char *)s + i : "@", 1);
	}
}

static void describe_socket(struct out *o, const struct artefact *a, uint32_t row)
{
	uint64_t count;
	const struct frore_socket *s = artefact_table(a, FRORE_TABLE_SOCKET, &count);

	if (row >= count)
		return;
	s += row;
	out_str(o, s->domain == 1    ? "UNIX "
		   : s->domain == 2  ? "IPv4 "
		   : s->domain == 10 ? "IPv6 "
		   : s->domain == 16 ? "netlink "
				     : "");
	out_str(o, (s->type & 15) == 1 ? "stream socket" : (s->type & 15) == 2 ? "datagram socket" : "socket");
	out_str(o, s->state == FRORE_SOCKET_LISTENING ? ", listening" : "");
	if (s->local.length > 2) {
		out_str(o, " at ");
		describe_address(o, a, s->local);
	}
}

void out_description(struct out *o, const struct artefact *a, uint32_t description)
{
	uint64_t count, rows;
	const struct frore_description *d = artefact_table(a, FRORE_TABLE_DESCRIPTION, &count);
	const struct frore_file *file = artefact_table(a, FRORE_TABLE_FILE, &rows);
	const char *path;

	if (description >= count)
		return;
	d += description;
	if (d->kind == FRORE_KIND_FILE && d->row < rows) {
		path = artefact_text(a, file[d->row].path);
		out_printable(o, path, text_length(path));
		out_str(o, file[d->row].flags & FRORE_FILE_DELETED ? " (deleted, content in this file)" : "");
		return;
	}
	if (d->kind == FRORE_KIND_SOCKET) {
		describe_socket(o, a, d->row);
		return;
	}
	if (d->kind == FRORE_KIND_TTY) {
		const struct frore_tty *tty = artefact_table(a, FRORE_TABLE_TTY, &rows);

		path = d->row < rows ? artefact_text(a, tty[d->row].path) : "";
		out_str(o, "terminal ");
		out_printable(o, path, text_length(path));
		return;
	}
	if (d->kind == FRORE_KIND_INHERIT) {
		const struct frore_inherit *inherit = artefact_table(a, FRORE_TABLE_INHERIT, &rows);

		out_str(o, "descriptor ");
		out_dec(o, d->row < rows ? inherit[d->row].launcher_fd : 0);
		out_str(o, " of whoever runs this file");
		return;
	}
	if (d->kind == FRORE_KIND_HANGUP) {
		const struct frore_hangup *hangup = artefact_table(a, FRORE_TABLE_HANGUP, &rows);

		path = d->row < rows ? artefact_text(a, hangup[d->row].told) : "";
		out_printable(o, path, text_length(path));
		out_str(o, ", hung up");
		return;
	}
	out_str(o, kind_name(d->kind));
}
