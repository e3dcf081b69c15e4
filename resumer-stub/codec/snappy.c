/* Snappy's block format: a varint length, then literals and copies. https://github.com/google/snappy/blob/main/format_description.txt */
#include <errno.h>

#include "codec.h"

struct cursor {
	const uint8_t *next, *end;
};

/* `bytes` (1..4) little-endian bytes; -1 behind the end. */
static int64_t take(struct cursor *c, unsigned int bytes)
{
	uint32_t value = 0;
	unsigned int i;

	if ((uint64_t)(c->end - c->next) < bytes)
		return -1;
	for (i = 0; i < bytes; i++)
		value |= (uint32_t)*c->next++ << 8 * i;
	return value;
}

static int64_t take_varint(struct cursor *c)
{
	uint64_t value = 0;
	unsigned int shift;

	for (shift = 0; shift < 35 && c->next < c->end; shift += 7) {
		value |= (uint64_t)(*c->next & 0x7f) << shift;
		if (!(*c->next++ & 0x80))
			return (int64_t)value;
	}
	return -1;
}

/* Decodes one element at `out`, of which `room` bytes are free behind `done` ones; returns its length, or -EINVAL. */
static int64_t element(struct cursor *c, uint8_t *out, uint64_t done, uint64_t room)
{
	int64_t tag = take(c, 1), length, offset, i;

	if (tag < 0)
		return -EINVAL;
	length = (tag >> 2) + 1;
	switch (tag & 3) {
	case 0:
		if (length > 60)
			length = take(c, (unsigned int)length - 60) + 1;
		if (length <= 0 || length > c->end - c->next || (uint64_t)length > room)
			return -EINVAL;
		__builtin_memcpy(out, c->next, (uint64_t)length);
		c->next += length;
		return length;
	case 1:
		length = (tag >> 2 & 7) + 4;
		offset = take(c, 1);
		if (offset >= 0)
			offset |= (tag >> 5) << 8;
		break;
	case 2:
		offset = take(c, 2);
		break;
	default:
		offset = take(c, 4);
	}
	if (offset <= 0 || (uint64_t)offset > done || (uint64_t)length > room)
		return -EINVAL;
	for (i = 0; i < length; i++)
		out[i] = out[i - offset];
	return length;
}

long frore_unsnappy(void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	struct cursor c = {src, (const uint8_t *)src + src_len};
	int64_t total = take_varint(&c);
	uint64_t done = 0;

	if (total < 0 || (uint64_t)total > dst_len)
		return -EINVAL;
	while (c.next < c.end) {
		int64_t length = element(&c, (uint8_t *)dst + done, done, (uint64_t)total - done);

		if (length < 0)
			return length;
		done += (uint64_t)length;
	}
	return done == (uint64_t)total ? (long)done : -EINVAL;
}
