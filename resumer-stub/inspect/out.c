/* Buffered output in words. */
#include "out.h"

void out_start(struct out *o)
{
	o->text = text_in(o->buffer, sizeof(o->buffer));
	o->separate = o->contained = 0;
}

void out_flush(struct out *o)
{
	const char *at = o->buffer;
	size_t left = o->text.length;

	if (o->contained)
		return;
	while (left) {
		long n = sys_write(1, at, left);

		if (n <= 0)
			break;
		at += n;
		left -= (size_t)n;
	}
	o->text = text_in(o->buffer, sizeof(o->buffer));
}

static void put(struct out *o, char c)
{
	if (o->text.length + 2 >= o->text.size)
		out_flush(o);
	text_char(&o->text, c);
}

void out_str(struct out *o, const char *s)
{
	while (*s)
		put(o, *s++);
}

void out_printable(struct out *o, const char *s, size_t length)
{
	for (; length--; s++)
		put(o, (unsigned char)*s < ' ' || *s == 127 ? '?' : *s);
}

void out_dec(struct out *o, int64_t value)
{
	if (o->text.length + 24 >= o->text.size)
		out_flush(o);
	text_dec(&o->text, value);
}

void out_padded(struct out *o, int64_t value, int width)
{
	char digits[24];
	struct text t = text_in(digits, sizeof(digits));

	text_dec(&t, value);
	out_str(o, digits);
	for (width -= (int)t.length; width > 0; width--)
		put(o, ' ');
}

void out_size(struct out *o, uint64_t bytes)
{
	uint64_t tenths = bytes * 10;
	int unit = 0;

	while (tenths >= 10240 && unit < 4) {
		tenths /= 1024;
		unit++;
	}
	out_dec(o, (int64_t)(tenths / 10));
	if (unit && tenths < 100) {
		put(o, '.');
		out_dec(o, (int64_t)(tenths % 10));
	}
	out_str(o, unit == 0 ? " bytes" : unit == 1 ? " KiB" : unit == 2 ? " MiB" : unit == 3 ? " GiB" : " TiB");
}

static void two_digits(struct out *o, int64_t value, const char *behind)
{
	put(o, (char)('0' + value / 10));
	put(o, (char)('0' + value % 10));
	out_str(o, behind);
}

/* Days since 1970 to a date of the Gregorian calendar, counting years from March so that the leap day comes last. */
void out_time(struct out *o, int64_t realtime_ns, const char *between)
{
	int64_t seconds = realtime_ns / 1000000000LL, days = seconds / 86400 + 719468;
	int64_t era = days / 146097, of_era = days % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t march = (5 * of_year + 2) / 153, month = march < 10 ? march + 3 : march - 9;

	out_dec(o, year + era * 400 + (month <= 2));
	put(o, '-');
	two_digits(o, month, "-");
	two_digits(o, of_year - (153 * march + 2) / 5 + 1, between);
	two_digits(o, seconds % 86400 / 3600, ":");
	two_digits(o, seconds % 3600 / 60, ":");
	two_digits(o, seconds % 60, "");
}

/* Arguments stand behind each other, each ended by NUL; a kernel-like name where there are none. */
void out_command(struct out *o, const struct artefact *a, const struct frore_task *t)
{
	const char *line = artefact_bytes(a, t->cmdline);
	uint64_t threads, i, length = t->cmdline.length;
	const struct frore_thread *h = artefact_table(a, FRORE_TABLE_THREAD, &threads);

	while (length && line[length - 1] == 0)
		length--;
	if (length == 0 && t->first_thread < threads) {
		put(o, '[');
		out_str(o, artefact_text(a, h[t->first_thread].comm));
		put(o, ']');
	}
	for (i = 0; i < length; i++)
		if (line[i])
			out_printable(o, line + i, 1);
		else
			put(o, ' ');
}
