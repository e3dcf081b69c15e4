/* Raw deflate and gzip by zlib's inflate, whose two allocations come out of the caller's workspace. */
#include <errno.h>
#include <limits.h>

#define ZLIB_CONST
#include <zutil.h>
#include <inftrees.h>
#include <inflate.h>

#include "codec.h"

#define WINDOW_BITS 15
#define WORKSPACE (sizeof(struct inflate_state) + (1 << WINDOW_BITS) + 64)

/* RFC 1952: a header without optional fields, and CRC32 and length behind the data. */
#define GZIP_HEADER 10
#define GZIP_TRAILER 8

struct arena {
	uint8_t *next, *end;
};

static voidpf arena_take(voidpf opaque, uInt items, uInt size)
{
	struct arena *arena = opaque;
	uint64_t bytes = ((uint64_t)items * size + 15) & ~15ULL;
	uint8_t *taken = arena->next;

	if (bytes > (uint64_t)(arena->end - arena->next))
		return Z_NULL;
	arena->next += bytes;
	return taken;
}

static void arena_drop(voidpf opaque, voidpf address)
{
	(void)opaque;
	(void)address;
}

uint64_t frore_inflate_workspace(void)
{
	return WORKSPACE;
}

long frore_inflate(void *dst, uint64_t dst_len, const void *src, uint64_t src_len, void *workspace, uint64_t workspace_len)
{
	struct arena arena = {workspace, (uint8_t *)workspace + workspace_len};
	z_stream stream = {0};
	int ret;

	if (dst_len > UINT_MAX || src_len > UINT_MAX)
		return -EINVAL;
	stream.zalloc = arena_take;
	stream.zfree = arena_drop;
	stream.opaque = &arena;
	stream.next_in = src;
	stream.avail_in = (uInt)src_len;
	stream.next_out = dst;
	stream.avail_out = (uInt)dst_len;
	if (inflateInit2(&stream, -WINDOW_BITS) != Z_OK)
		return -ENOMEM;
	ret = inflate(&stream, Z_FINISH);
	if (ret != Z_STREAM_END || stream.avail_in)
		return -EINVAL;
	return (long)stream.total_out;
}

long frore_gunzip(void *dst, uint64_t dst_len, const void *src, uint64_t src_len, void *workspace, uint64_t workspace_len)
{
	const uint8_t *head = src;

	/* The frame's own checksum covers the data, so the CRC is not taken a second time. */
	if (src_len < GZIP_HEADER + GZIP_TRAILER || head[0] != 0x1f || head[1] != 0x8b || head[2] != 8 || head[3])
		return -EINVAL;
	return frore_inflate(dst, dst_len, head + GZIP_HEADER, src_len - GZIP_HEADER - GZIP_TRAILER, workspace, workspace_len);
}
