/* Raw deflate and gzip by zlib. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "encode.h"

#define WINDOW_BITS 15
#define MEMORY_LEVEL 8

/* RFC 1952: deflate, no optional fields, no time, made on Unix. */
static const uint8_t gzip_header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
#define GZIP_TRAILER 8

static voidpf take(voidpf opaque, uInt items, uInt size)
{
	(void)opaque;
	return calloc(items, size);
}

static void drop(voidpf opaque, voidpf address)
{
	(void)opaque;
	free(address);
}

static int64_t deflate_raw(int level, uint8_t *dst, uint64_t dst_len, const uint8_t *src, uint64_t src_len)
{
	z_stream stream = {.zalloc = take, .zfree = drop};
	int ret;

	if (src_len > UINT_MAX || dst_len > UINT_MAX)
		return -1;
	if (deflateInit2(&stream, level, Z_DEFLATED, -WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	stream.next_in = src;
	stream.avail_in = (uInt)src_len;
	stream.next_out = dst;
	stream.avail_out = (uInt)dst_len;
	ret = deflate(&stream, Z_FINISH);
	deflateEnd(&stream);
	return ret == Z_STREAM_END ? (int64_t)stream.total_out : -1;
}

int64_t encode_deflate(int level, int gzip, uint8_t *dst, uint64_t dst_len, const uint8_t *src, uint64_t src_len)
{
	uint32_t trailer[2];
	int64_t length;

	if (!gzip)
		return deflate_raw(level, dst, dst_len, src, src_len);
	if (dst_len < sizeof(gzip_header) + GZIP_TRAILER)
		return -1;
	memcpy(dst, gzip_header, sizeof(gzip_header));
	dst += sizeof(gzip_header);
	length = deflate_raw(level, dst, dst_len - sizeof(gzip_header) - GZIP_TRAILER, src, src_len);
	if (length < 0)
		return -1;
	trailer[0] = (uint32_t)crc32(crc32(0, Z_NULL, 0), src, (uInt)src_len);
	trailer[1] = (uint32_t)src_len;
	memcpy(dst + length, trailer, GZIP_TRAILER);
	return length + (int64_t)sizeof(gzip_header) + GZIP_TRAILER;
}
