/* XXH64 out of zstd's copy of xxHash. */
#define XXH_STATIC_LINKING_ONLY
#include <common/xxhash.h>

#include "codec.h"

_Static_assert(sizeof(XXH64_state_t) == sizeof(struct frore_hash), "XXH64_state_t");

void frore_hash_init(struct frore_hash *hash)
{
	XXH64_reset((XXH64_state_t *)hash, 0);
}

void frore_hash_update(struct frore_hash *hash, const void *data, uint64_t length)
{
	XXH64_update((XXH64_state_t *)hash, data, length);
}

uint64_t frore_hash_digest(const struct frore_hash *hash)
{
	return XXH64_digest((const XXH64_state_t *)hash);
}

uint64_t frore_hash_of(const void *data, uint64_t length)
{
	return XXH64(data, length, 0);
}
