/* Sums and words for what the tables hold. */
#include "out.h"

static const char codecs[] = "none\0zstd\0lz4\0flate\0gzip\0snappy\0";
static const char kinds[] = "file\0inherit\0tty\0pipe\0eventfd\0epoll\0timerfd\0signalfd\0inotify\0memfd\0pidfd\0socket\0hangup\0pty\0";

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

/* Bytes of a run of a file's pages that the mappings of an address space take. */
static uint64_t mapped_of(const struct artefact *a, uint32_t mm, const struct frore_run *run)
{
	uint64_t vmas, images, i, bytes = 0;
	const struct frore_vma *v = artefact_table(a, FRORE_TABLE_VMA, &vmas);
	const struct frore_image *image = artefact_table(a, FRORE_TABLE_IMAGE, &images);

	for (i = 0; i < vmas; i++) {
		uint64_t from = v[i].offset, to = v[i].offset + (v[i].end - v[i].start);

		if (v[i].mm != mm || (v[i].kind != FRORE_VMA_FILE_PRIVATE && v[i].kind != FRORE_VMA_FILE_SHARED) ||
		    v[i].source >= images || image[v[i].source].pages != run->index)
			continue;
		if (from < run->address)
			from = run->address;
		if (to > run->address + run->length)
			to = run->address + run->length;
		bytes += from < to ? to - from : 0;
	}
	return bytes;
}

struct task_sum sum_task(const struct artefact *a, uint32_t task)
{
	struct task_sum sum = {0, 0, 0, 0, 0};
	uint64_t tasks, vmas, fds, sames, i;
	const struct frore_task *t = artefact_table(a, FRORE_TABLE_TASK, &tasks);
	const struct frore_vma *v = artefact_table(a, FRORE_TABLE_VMA, &vmas);
	const struct frore_fd *f = artefact_table(a, FRORE_TABLE_FD, &fds);
	const struct frore_same *same = artefact_table(a, FRORE_TABLE_SAME, &sames);

	if (t[task].flags & FRORE_TASK_ZOMBIE)
		return sum;
	for (i = 0; i < vmas; i++)
		if (v[i].mm == t[task].mm) {
			sum.mapped += v[i].end - v[i].start;
			sum.mappings++;
		}
	for (i = 0; i < a->run_count; i++) {
		const struct frore_run *run = &a->runs[i];

		if (run->space == FRORE_SPACE_MM && run->index == t[task].mm && run->source != FRORE_SOURCE_ZERO &&
		    run->source != FRORE_SOURCE_VOID)
			sum.stored += run->length;
		if (run->space == FRORE_SPACE_CONTENT && run->source == FRORE_SOURCE_IMAGE)
			sum.from_files += mapped_of(a, t[task].mm, run);
	}
	for (i = 0; i < sames; i++)
		if (same[i].mm == t[task].mm && same[i].from != same[i].mm)
			sum.stored += same[i].end - same[i].start;
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

static void describe_pty(struct out *o, const struct artefact *a, uint32_t row)
{
	uint64_t count, pairs;
	const struct frore_pty *end = artefact_table(a, FRORE_TABLE_PTY, &count);
	const struct frore_pty_pair *pair = artefact_table(a, FRORE_TABLE_PTY_PAIR, &pairs);

	if (row >= count || end[row].pair >= pairs)
		return;
	pair += end[row].pair;
	out_str(o, end[row].end == FRORE_PTY_END_MASTER ? "master of " : "");
	out_str(o, pair->index < 0 ? "a terminal" : "/dev/pts/");
	if (pair->index >= 0)
		out_dec(o, pair->index);
	out_str(o, pair->flags & FRORE_PTY_HUNG_UP ? ", hung up" : "");
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
	if (d->kind == FRORE_KIND_PTY) {
		describe_pty(o, a, d->row);
		return;
	}
	out_str(o, kind_name(d->kind));
}
