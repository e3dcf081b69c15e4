/* Packing pages of stopped processes into frames. */
#ifndef FRORE_COPY_H
#define FRORE_COPY_H

#include <stdint.h>

#include "../../../resumer-stub/gen/frore_format.h"

#define COPY_PAGE 4096UL
#define STRETCH_KEEP_ZEROS 1 /* pages of zeros become ZERO runs: a page of the file would show through */
#define STRETCH_FORCED 2     /* through /proc/PID/mem, which ignores protection */

/* Pages of one mapping, one after the other. */
struct stretch {
	uint64_t address, length;
	uint32_t index; /* row of mm */
	uint32_t source;
	int32_t pid, mem;
	uint64_t flags;
};

/* Where the packing has come to. */
struct cursor {
	uint64_t stretch, done;
};

/* seen.c: of pages that are stored already; one for each address space. */
struct seen;
uint64_t seen_key(struct seen *seen, const uint8_t *page);
uint64_t seen_before(struct seen *seen, uint64_t key, const uint8_t *page, uint64_t address);

struct packed {
	uint64_t length; /* bytes in the buffer */
	uint64_t zero_bytes;
	uint32_t run_count;
	uint32_t told; /* pages that could not be read */
	struct frore_run *runs;
	uint64_t *passed; /* where they are */
	struct seen *seen;	     /* NULL: pages that are stored already are not looked for */
	const struct stretch *owner; /* of the last run */
};

#define PACK_ROOM (1UL << 20) /* longest frame */
#define PACK_RUNS 256
#define PACK_TOLD 256

/* Fills one frame from where the cursor is; 0, or -errno when the process cannot be read at all. */
int pack_frame(const struct stretch *list, uint64_t count, struct cursor *at, uint8_t *buffer, uint64_t room, struct packed *out);

#endif
