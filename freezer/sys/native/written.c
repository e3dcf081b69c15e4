/*
 * Which pages of a running process have been written to since the last look. The kernel keeps account of that in the page tables of
 * mappings that are registered with a userfaultfd for asynchronous write protection (PAGEMAP_SCAN, fs/proc/task_mmu.c, Linux 6.7).
 */
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "native.h"

#define PAGEMAP_SCAN_IOCTL 0xc0606610UL
#define WP_MATCHING 1
#define CHECK_WPASYNC 2 /* EPERM for a mapping that is not registered */
#define IS_WRITTEN 2
#define IS_PRESENT 8
#define IS_SWAPPED 16
#define IS_PFNZERO 32
#define TOLD (IS_WRITTEN | IS_PRESENT | IS_SWAPPED | IS_PFNZERO)
#define VECTOR 512UL /* with more, walk_end is wrong on 6.18 */

struct written {
	uint64_t start, end, categories;
};

/*
 * From *at on, which is moved to where it has come. `protect`: pages that hold something and have been written to, which count as not
 * written to from then on. Else: all that have been written to, and all that hold nothing (any more). How many ranges, or -errno;
 * there is more to come while *at < end.
 */
EXPORT int64_t frore_native_written(int pagemap, uint64_t *at, uint64_t end, uint32_t protect, struct written *found, uint64_t room)
{
	uint64_t count = 0;

	while (*at < end && room - count >= VECTOR) {
		uint64_t argument[12] = {
			sizeof(argument), CHECK_WPASYNC | (protect ? WP_MATCHING : 0), *at, end, 0, (uint64_t)(found + count), VECTOR, 0,
			protect ? 0 : IS_PRESENT, protect ? IS_WRITTEN : 0,
			protect ? IS_PRESENT | IS_SWAPPED : IS_WRITTEN | IS_PRESENT, TOLD};
		long got = ioctl(pagemap, PAGEMAP_SCAN_IOCTL, argument);
		uint64_t kept = 0;

		if (got < 0)
			return -errno;
		for (long i = 0; i < got; i++) {
			struct written w = found[count + (uint64_t)i];

			if (w.end <= *at)
				continue;
			if (w.start < *at)
				w.start = *at;
			*at = w.end;
			/* swapped out as it was left */
			if (w.categories & IS_WRITTEN || !(w.categories & IS_SWAPPED))
				found[count + kept++] = w;
		}
		count += kept;
		if (got < (long)VECTOR)
			*at = end;
	}
	return (int64_t)count;
}
