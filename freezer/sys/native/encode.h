/* One encoder per codec; each returns the bytes written, or -1. */
#ifndef FRORE_ENCODE_H
#define FRORE_ENCODE_H

#include <stdint.h>

/* Bytes that any of them may need for `length` bytes of input. */
uint64_t encode_bound(uint64_t length);

/* By FRORE_CODEC_*. The calling thread keeps its zstd context until encode_forget(). */
int64_t encode(uint32_t codec, int level, void *dst, uint64_t dst_len, const void *src, uint64_t src_len);
void encode_forget(void);

int64_t encode_snappy(uint8_t *dst, uint64_t dst_len, const uint8_t *src, uint64_t src_len);
int64_t encode_deflate(int level, int gzip, uint8_t *dst, uint64_t dst_len, const uint8_t *src, uint64_t src_len);

#endif
