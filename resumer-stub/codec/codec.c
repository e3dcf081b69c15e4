/* One decoder per codec, without a heap: zstd works in the caller's workspace, the rest needs little or nothing. */
#include <errno.h>
#include <limits.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <lz4.h>

#include "codec.h"
#include "../gen/frore_format.h"

static long unzstd(void *dst, uint64_t dst_len, const void *src, uint64_t src_len, void *workspace, uint64_t workspace_len)
{
	ZSTD_DCtx *context = ZSTD_initStaticDCtx(workspace, workspace_len);
	size_t length;

	if (!context)
		return -ENOMEM;
	length = ZSTD_decompressDCtx(context, dst, dst_len, src, src_len);
	return ZSTD_isError(length) ? -EINVAL : (long)length;
}

static long unlz4(void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	int length;

	if (dst_len > INT_MAX || src_len > INT_MAX)
		return -EINVAL;
	length = LZ4_decompress_safe(src, dst, (int)src_len, (int)dst_len);
	return length < 0 ? -EINVAL : length;
}

static long copy(void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	if (src_len > dst_len)
		return -EINVAL;
	__builtin_memcpy(dst, src, src_len);
	return (long)src_len;
}

long frore_decode(uint32_t codec, void *dst, uint64_t dst_len, const void *src, uint64_t src_len, void *workspace,
		  uint64_t workspace_len)
{
	switch (codec) {
	case FRORE_CODEC_NONE:
		return copy(dst, dst_len, src, src_len);
	case FRORE_CODEC_ZSTD:
		return unzstd(dst, dst_len, src, src_len, workspace, workspace_len);
	case FRORE_CODEC_LZ4:
		return unlz4(dst, dst_len, src, src_len);
	case FRORE_CODEC_DEFLATE:
		return frore_inflate(dst, dst_len, src, src_len, workspace, workspace_len);
	case FRORE_CODEC_GZIP:
		return frore_gunzip(dst, dst_len, src, src_len, workspace, workspace_len);
	case FRORE_CODEC_SNAPPY:
		return frore_unsnappy(dst, dst_len, src, src_len);
	}
	return -EOPNOTSUPP;
}

uint64_t frore_decode_workspace(uint32_t codec)
{
	switch (codec) {
	case FRORE_CODEC_ZSTD:
		return ZSTD_estimateDCtxSize();
	case FRORE_CODEC_DEFLATE:
	case FRORE_CODEC_GZIP:
		return frore_inflate_workspace();
	}
	return 0;
}
