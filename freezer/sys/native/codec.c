/* Encoders, and the decoders and checksums of the stub, for koffi: numbers beyond 2^53 go through a buffer. */
#include <limits.h>
#include <stdint.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <lz4.h>

#include "../../../resumer-stub/codec/codec.h"
#include "native.h"

/* One per thread that compresses; lives as long as the thread's process. */
static _Thread_local ZSTD_CCtx *context;

/* Bytes that any of our encoders may need for `length` bytes of input. */
EXPORT int64_t frore_native_bound(uint64_t length)
{
	uint64_t lz4 = length < LZ4_MAX_INPUT_SIZE ? (uint64_t)LZ4_compressBound((int)length) : 0;
	uint64_t zstd = ZSTD_compressBound(length), snappy = 32 + length + length / 6;
	uint64_t most = lz4 > zstd ? lz4 : zstd;

	return (int64_t)(most > snappy ? most : snappy);
}

/* Bytes written, or -1. */
EXPORT int64_t frore_native_zstd(int level, void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	size_t length;

	if (!context)
		context = ZSTD_createCCtx();
	if (!context)
		return -1;
	length = ZSTD_compressCCtx(context, dst, dst_len, src, src_len, level);
	return ZSTD_isError(length) ? -1 : (int64_t)length;
}

/* Bytes written, or -1. */
EXPORT int64_t frore_native_lz4(void *dst, uint64_t dst_len, const void *src, uint64_t src_len)
{
	int length;

	if (src_len > LZ4_MAX_INPUT_SIZE || dst_len > INT_MAX)
		return -1;
	length = LZ4_compress_default(src, dst, (int)src_len, (int)dst_len);
	return length > 0 ? length : -1;
}

/* Bytes written, or negative errno; see frore_decode(). */
EXPORT int64_t frore_native_decode(uint32_t codec, void *dst, uint64_t dst_len, const void *src, uint64_t src_len,
				   void *workspace, uint64_t workspace_len)
{
	return frore_decode(codec, dst, dst_len, src, src_len, workspace, workspace_len);
}

EXPORT int64_t frore_native_decode_workspace(uint32_t codec)
{
	return (int64_t)frore_decode_workspace(codec);
}

EXPORT void frore_native_hash_init(struct frore_hash *hash)
{
	frore_hash_init(hash);
}

EXPORT void frore_native_hash_update(struct frore_hash *hash, const void *data, uint64_t length)
{
	frore_hash_update(hash, data, length);
}

EXPORT void frore_native_hash_digest(const struct frore_hash *hash, uint64_t *out)
{
	*out = frore_hash_digest(hash);
}

EXPORT void frore_native_xxh64(const void *data, uint64_t length, uint64_t *out)
{
	*out = frore_hash_of(data, length);
}
