/* Encoders behind one door. */
#include <limits.h>
#include <string.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <lz4.h>

#include "../../../resumer-stub/gen/frore_format.h"
#include "encode.h"
#include "native.h"

static _Thread_local ZSTD_CCtx *context;

uint64_t encode_bound(uint64_t length)
{
	uint64_t lz4 = length < LZ4_MAX_INPUT_SIZE ? (uint64_t)LZ4_compressBound((int)length) : 0;
	uint64_t zstd = ZSTD_compressBound(length), snappy = 32 + length + length / 6;
	uint64_t most = lz4 > zstd ? lz4 : zstd;

	return most > snappy ? most : snappy;
}

static int64_t encode_zstd(int level, void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	size_t length;

	if (!context)
		context = ZSTD_createCCtx();
	if (!context)
		return -1;
	length = ZSTD_compressCCtx(context, dst, dst_len, src, src_len, level);
	return ZSTD_isError(length) ? -1 : (int64_t)length;
}

static int64_t encode_lz4(void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	int length;

	if (src_len > LZ4_MAX_INPUT_SIZE || dst_len > INT_MAX)
		return -1;
	length = LZ4_compress_default(src, dst, (int)src_len, (int)dst_len);
	return length > 0 ? length : -1;
}

int64_t encode(uint32_t codec, int level, void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	switch (codec) {
	case FRORE_CODEC_NONE:
		if (src_len > dst_len)
			return -1;
		memcpy(dst, src, src_len);
		return (int64_t)src_len;
	case FRORE_CODEC_ZSTD:
		return encode_zstd(level, dst, dst_len, src, src_len);
	case FRORE_CODEC_LZ4:
		return encode_lz4(dst, dst_len, src, src_len);
	case FRORE_CODEC_DEFLATE:
	case FRORE_CODEC_GZIP:
		return encode_deflate(level, codec == FRORE_CODEC_GZIP, dst, dst_len, src, src_len);
	case FRORE_CODEC_SNAPPY:
		return encode_snappy(dst, dst_len, src, src_len);
	}
	return -1;
}

void encode_forget(void)
{
	ZSTD_freeCCtx(context);
	context = NULL;
}

EXPORT int64_t frore_native_bound(uint64_t length)
{
	return (int64_t)encode_bound(length);
}

EXPORT int64_t frore_native_encode(uint32_t codec, int level, void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	return encode(codec, level, dst, dst_len, src, src_len);
}
