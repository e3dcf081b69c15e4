/* JSON. Bytes that are no UTF-8 become U+DC80 + (byte - 0x80), as in the freezer's own reports (builder/text.ts). */
#include "out.h"

static void put(struct out *o, char c)
{
	char s[2] = {c, 0};

	out_str(o, s);
}

static void escape(struct out *o, uint32_t unit)
{
	int shift;

	out_str(o, "\\u");
	for (shift = 12; shift >= 0; shift -= 4) {
		uint32_t digit = unit >> shift & 15;

		put(o, (char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
	}
}

/* Length of the well-formed sequence at s (RFC 3629), 0 when there is none. */
static size_t utf8_length(const uint8_t *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
	size_t i;

	if (n == 0 || n > left)
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void quoted(struct out *o, const char *text, size_t length)
{
	const uint8_t *s = (const uint8_t *)text;

	put(o, '"');
	while (length) {
		size_t n = utf8_length(s, length), i;

		if (n == 0) {
			escape(o, 0xdc00 + *s);
			n = 1;
		} else if (*s < ' ' || *s == 127) {
			escape(o, *s);
		} else {
			if (*s == '"' || *s == '\\')
				put(o, '\\');
			for (i = 0; i < n; i++)
				put(o, (char)s[i]);
		}
		s += n;
		length -= n;
	}
	put(o, '"');
}

static void key(struct out *o, const char *name)
{
	if (o->separate)
		put(o, ',');
	o->separate = 1;
	if (name) {
		quoted(o, name, text_length(name));
		put(o, ':');
	}
}

void json_open(struct out *o, const char *name, char bracket)
{
	key(o, name);
	put(o, bracket);
	o->separate = 0;
}

void json_close(struct out *o, char bracket)
{
	put(o, bracket);
	o->separate = 1;
}

void json_string(struct out *o, const char *name, const char *s, size_t length)
{
	key(o, name);
	quoted(o, s, length);
}

void json_text(struct out *o, const char *name, const char *s)
{
	json_string(o, name, s, text_length(s));
}

void json_number(struct out *o, const char *name, int64_t value)
{
	key(o, name);
	out_dec(o, value);
}

void json_word(struct out *o, const char *name, const char *literal)
{
	key(o, name);
	out_str(o, literal);
}
