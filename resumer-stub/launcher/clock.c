/*
 * A time namespace in which monotonic and boot time go on where the freeze stopped them. Offsets count from the initial namespace
 * and can only be written before the first child (kernel/time/namespace.c).
 */
#include <linux/fcntl.h>
#include <linux/sched.h>
#include <linux/time.h>

#include "launcher.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static const struct frore_machine *machine(struct launch *l)
{
	uint64_t count;
	const struct frore_machine *m = artefact_table(&l->r->artefact, FRORE_TABLE_MACHINE, &count);

	return count ? m : 0;
}

static int64_t clock_now(int clock)
{
	int64_t t[2] = {0, 0};

	sys2(__NR_clock_gettime, clock, (long)t);
	return t[0] * NS + t[1];
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static int64_t signed_number(const char *s, const char **end)
{
	int negative = *s == '-';
	int64_t value = text_number(s + negative, end);

	return negative ? -value : value;
}

/* Nanoseconds by which `name` is already off in our namespace: "monotonic           100         0". */
static int64_t offset_now(const char *offsets, const char *name)
{
	const char *at = offsets;
	int64_t sec;

	while (*at && !text_starts(at, name)) {
		while (*at && *at != '\n')
			at++;
		at += *at == '\n';
	}
	if (!*at)
		return 0;
	sec = signed_number(skip_blanks(at + text_length(name)), &at);
	return sec * NS + signed_number(skip_blanks(at), &at);
}

static void add_line(struct text *t, const char *name, int64_t offset)
{
	int64_t sec = offset / NS, nsec = offset % NS;

	if (nsec < 0) {
		sec--;
		nsec += NS;
	}
	text_str(t, name);
	text_char(t, ' ');
	text_dec(t, sec);
	text_char(t, ' ');
	text_dec(t, nsec);
	text_char(t, '\n');
}

static long read_offsets(char *buffer, size_t size)
{
	long fd = sys_open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC, 0), n;

	if (fd < 0)
		return fd;
	n = sys_read((int)fd, buffer, size - 1);
	sys_close((int)fd);
	buffer[n > 0 ? n : 0] = 0;
	return n;
}

/* A descriptor of its own: a write is accepted at offset 0 alone, and the file cannot seek. */
static long write_offsets(const struct text *t)
{
	long fd = sys_open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC, 0), ret;

	if (fd < 0)
		return fd;
	ret = sys_write((int)fd, t->start, t->length);
	sys_close((int)fd);
	return ret;
}

/* Where it is refused the clock jumps, which clock_warn() tells if it jumps back. */
void clock_continue(struct launch *l)
{
	const struct frore_machine *m = machine(l);
	char offsets[256];
	struct text t;
	int64_t monotonic, boot;

	if (!m || m->monotonic_ns == 0 || sys1(__NR_unshare, CLONE_NEWTIME) < 0 || read_offsets(offsets, sizeof(offsets)) < 0)
		return;
	monotonic = offset_now(offsets, "monotonic") + m->monotonic_ns - clock_now(CLOCK_MONOTONIC);
	boot = offset_now(offsets, "boottime") + m->boottime_ns - clock_now(CLOCK_BOOTTIME);
	t = text_in(offsets, sizeof(offsets));
	add_line(&t, "monotonic", monotonic);
	add_line(&t, "boottime", boot);
	if (write_offsets(&t) > 0)
		l->r->status->family.own_clock = l->r->own_time_namespace = 1;
}

void clock_warn(struct launch *l)
{
	const struct frore_machine *m = machine(l);

	if (m && !l->r->status->family.own_clock && m->monotonic_ns > clock_now(CLOCK_MONOTONIC))
		warn(l->r, "the monotonic clock goes back for the program:", "a time namespace is refused here", 0,
		     "timers may come late");
}
