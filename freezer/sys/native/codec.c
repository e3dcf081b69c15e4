/* Decoders and checksums of the stub, for koffi: numbers beyond 2^53 go through a buffer. */
#include <stdint.h>

#include "../../../resumer-stub/codec/codec.h"
#include "native.h"

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
