/* Ranges of pages as stretches to be packed, so that a million of them need not become as many objects. */
#include "copy.h"
#include "native.h"

struct range {
	uint64_t start, end, area;
};

/* `areas`: for each area a stretch that only lacks its address and length. */
EXPORT void frore_native_stretches(const struct range *ranges, uint64_t count, const struct stretch *areas, struct stretch *out)
{
	for (uint64_t i = 0; i < count; i++) {
		out[i] = areas[ranges[i].area];
		out[i].address = ranges[i].start;
		out[i].length = ranges[i].end - ranges[i].start;
	}
}
