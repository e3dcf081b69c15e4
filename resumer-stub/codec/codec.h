/* Decoding of page frames and checksums. The algorithms come from zstd, lz4 and zlib; this is the door to them. */
#ifndef FRORE_CODEC_H
#define FRORE_CODEC_H

#include <stdint.h>

/*
 * Decodes one frame. `codec` is FRORE_CODEC_*; `workspace` is 64-byte aligned and holds frore_decode_workspace(codec) bytes, whose
 * content matters neither before nor after. Returns the number of bytes written to dst, at most dst_len, or
 * -EINVAL (damaged data, or more than dst_len bytes), -EOPNOTSUPP (unknown codec), -ENOMEM (workspace too small).
 */
long frore_decode(uint32_t codec, void *dst, uint64_t dst_len, const void *src, uint64_t src_len, void *workspace,
		  uint64_t workspace_len);

/* Bytes of workspace that `codec` needs, 0 for none. */
uint64_t frore_decode_workspace(uint32_t codec);

/* XXH64 with seed 0, fed piece by piece. */
struct frore_hash {
	uint64_t state[11];
};

void frore_hash_init(struct frore_hash *hash);
void frore_hash_update(struct frore_hash *hash, const void *data, uint64_t length);
uint64_t frore_hash_digest(const struct frore_hash *hash);

/* The same in one go. */
uint64_t frore_hash_of(const void *data, uint64_t length);

/* The single formats behind frore_decode(). */
long frore_inflate(void *dst, uint64_t dst_len, const void *src, uint64_t src_len, void *workspace, uint64_t workspace_len);
long frore_gunzip(void *dst, uint64_t dst_len, const void *src, uint64_t src_len, void *workspace, uint64_t workspace_len);
long frore_unsnappy(void *dst, uint64_t dst_len, const void *src, uint64_t src_len);
uint64_t frore_inflate_workspace(void);

#endif
