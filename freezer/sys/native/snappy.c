/* A greedy encoder of Snappy's block format, 64 KiB at a time; decoded by resumer-stub/codec/snappy.c. */
#include <stdint.h>
#include <string.h>

#include "encode.h"

#define BLOCK 65536
#define HASH_BITS 14
#define MIN_MATCH 4

static uint32_t load32(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static uint8_t *put_literal(uint8_t *out, const uint8_t *from, uint32_t length)
{
	uint32_t n = length - 1;

	if (!length)
		return out;
	if (n < 60) {
		*out++ = (uint8_t)(n << 2);
	} else {
		*out++ = 61 << 2;
		*out++ = (uint8_t)n;
		*out++ = (uint8_t)(n >> 8);
	}
	memcpy(out, from, length);
	return out + length;
}

/* Copies with a 2-byte offset, at most 64 bytes each. */
static uint8_t *put_copy(uint8_t *out, uint32_t offset, uint32_t length)
{
	while (length) {
		uint32_t part = length > 64 ? 64 : length;

		*out++ = (uint8_t)((part - 1) << 2 | 2);
		*out++ = (uint8_t)offset;
		*out++ = (uint8_t)(offset >> 8);
		length -= part;
	}
	return out;
}

static uint8_t *put_block(uint8_t *out, const uint8_t *src, uint32_t length)
{
	uint16_t seen[1 << HASH_BITS] = {0};
	uint32_t at = 1, literal = 0, match, run;

	while (at + MIN_MATCH <= length) {
		uint32_t word = load32(src + at), slot = word * 0x1e35a7bdU >> (32 - HASH_BITS);

		match = seen[slot];
		seen[slot] = (uint16_t)at;
		if (match >= at || load32(src + match) != word) {
			at += 1 + ((at - literal) >> 5); /* data that does not compress is passed over faster and faster */
			continue;
		}
		for (run = MIN_MATCH; at + run < length && src[at + run] == src[match + run]; run++)
			;
		out = put_literal(out, src + literal, at - literal);
		out = put_copy(out, at - match, run);
		at += run;
		literal = at;
	}
	return put_literal(out, src + literal, length - literal);
}

/* Bytes written, or -1 when dst is shorter than 32 + src_len + src_len / 6. */
int64_t encode_snappy(uint8_t *dst, uint64_t dst_len, const uint8_t *src, uint64_t src_len)
{
	uint8_t *out = dst;
	uint64_t left;

	if (dst_len < 32 + src_len + src_len / 6 || src_len > UINT32_MAX)
		return -1;
	for (left = src_len; left >= 0x80; left >>= 7)
		*out++ = (uint8_t)(left | 0x80);
	*out++ = (uint8_t)left;
	for (left = src_len; left;) {
		uint32_t part = left > BLOCK ? BLOCK : (uint32_t)left;

		out = put_block(out, src, part);
		src += part;
		left -= part;
	}
	return out - dst;
}
