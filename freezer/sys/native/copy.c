/* Packs pages of stopped processes into frames, without those that are all zeros. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "copy.h"
#include "native.h"

#define BATCH 64

static int is_zero(const uint8_t *page)
{
	const uint64_t *word = (const uint64_t *)page;
	uint64_t any = 0;
	unsigned int i, j;

	for (i = 0; i < COPY_PAGE / 8; i += 32) {
		for (j = 0; j < 32; j++)
			any |= word[i + j];
		if (any)
			return 0;
	}
	return 1;
}

/* The last run when this page goes on where that ends. A run never reaches over the end of a stretch. */
static struct frore_run *last_before(struct packed *out, const struct stretch *s, uint64_t address)
{
	struct frore_run *last = out->run_count ? &out->runs[out->run_count - 1] : NULL;

	return last && out->owner == s && last->address + last->length == address ? last : NULL;
}

static void push(struct packed *out, const struct stretch *s, uint64_t address, uint64_t from, uint32_t source)
{
	struct frore_run *last = last_before(out, s, address);

	if (last && last->source == source && (source != FRORE_SOURCE_COPY || last->from + last->length == from)) {
		last->length += COPY_PAGE;
		return;
	}
	if (source == FRORE_SOURCE_COPY && last && last->from == from &&
	    (last->source == FRORE_SOURCE_REPEAT || (last->source == FRORE_SOURCE_COPY && last->length == COPY_PAGE))) {
		last->source = FRORE_SOURCE_REPEAT;
		last->length += COPY_PAGE;
		return;
	}
	out->owner = s;
	out->runs[out->run_count++] = (struct frore_run){.address = address,
							 .length = COPY_PAGE,
							 .from = from,
							 .index = s->index,
							 .space = FRORE_SPACE_MM,
							 .source = (uint16_t)source};
}

/* A key for each page, 0 for those that are all zeros. */
static void look(struct seen *seen, const uint8_t *pages, uint64_t length, uint64_t *keys)
{
	for (uint64_t i = 0; i < length / COPY_PAGE; i++) {
		const uint8_t *page = pages + i * COPY_PAGE;

		keys[i] = is_zero(page) ? 0 : seen ? seen_key(seen, page) : 1;
	}
}

/* Pages that were read to `from` move together at `out->length`; returns how many bytes were taken before the runs were full. */
static uint64_t take(const struct stretch *s, uint64_t address, uint8_t *buffer, uint64_t from, uint64_t length, const uint64_t *keys,
		     struct packed *out)
{
	uint64_t done;

	for (done = 0; done < length && out->run_count < PACK_RUNS; done += COPY_PAGE) {
		uint64_t key = keys[done / COPY_PAGE], before = 0;
		uint8_t *page = buffer + from + done;

		if (!key) {
			out->zero_bytes += COPY_PAGE;
			if (s->flags & STRETCH_KEEP_ZEROS)
				push(out, s, address + done, 0, FRORE_SOURCE_ZERO);
			continue;
		}
		if (out->seen && s->source == FRORE_SOURCE_STORED)
			before = seen_before(out->seen, key, page, address + done);
		if (before) {
			push(out, s, address + done, before, FRORE_SOURCE_COPY);
			continue;
		}
		if (from + done != out->length)
			memmove(buffer + out->length, page, COPY_PAGE);
		out->length += COPY_PAGE;
		push(out, s, address + done, 0, s->source);
	}
	return done;
}

static int64_t read_forced(const struct stretch *s, uint64_t done, uint8_t *to, uint64_t length)
{
	ssize_t got = pread(s->mem, to, length, (off_t)(s->address + done));

	return got < 0 ? 0 : (int64_t)got;
}

/* Reads as much as fits, from as many stretches of one process as one call takes. */
static int64_t read_batch(const struct stretch *list, uint64_t count, const struct cursor *at, uint8_t *to, uint64_t room)
{
	struct iovec remote[BATCH], local;
	const struct stretch *first = &list[at->stretch];
	uint64_t total = 0, skip = at->done, i;
	int n = 0;
	ssize_t got;

	if (first->flags & STRETCH_FORCED)
		return read_forced(first, skip, to, first->length - skip < room ? first->length - skip : room);
	for (i = at->stretch; i < count && n < BATCH && total < room; i++, skip = 0) {
		const struct stretch *s = &list[i];
		uint64_t length = s->length - skip;

		if (s->pid != first->pid || s->flags & STRETCH_FORCED)
			break;
		if (length > room - total)
			length = room - total;
		remote[n++] = (struct iovec){(void *)(s->address + skip), length};
		total += length;
	}
	local = (struct iovec){to, total};
	got = process_vm_readv(first->pid, &local, 1, remote, (unsigned long)n, 0);
	return got < 0 ? (errno == EFAULT ? 0 : -errno) : got;
}

static void pass_over(const struct stretch *s, struct cursor *at, struct packed *out)
{
	out->passed[out->told++] = s->address + at->done;
	at->done += COPY_PAGE;
}

static void step(const struct stretch *list, struct cursor *at)
{
	if (at->done >= list[at->stretch].length) {
		at->stretch++;
		at->done = 0;
	}
}

int pack_frame(const struct stretch *list, uint64_t count, struct cursor *at, uint8_t *buffer, uint64_t room, struct packed *out)
{
	out->length = out->zero_bytes = 0;
	out->run_count = out->told = 0;
	out->owner = NULL;
	while (at->stretch < count && out->length + COPY_PAGE <= room && out->run_count < PACK_RUNS &&
	       out->told < PACK_TOLD) {
		uint64_t from = out->length, left, keys[PACK_ROOM / COPY_PAGE], *key = keys;
		int64_t got = read_batch(list, count, at, buffer + from, room - from);

		if (got < 0)
			return (int)got;
		left = (uint64_t)got / COPY_PAGE * COPY_PAGE;
		if (left == 0) {
			pass_over(&list[at->stretch], at, out);
			step(list, at);
			continue;
		}
		look(out->seen, buffer + from, left, keys);
		while (left > 0 && out->run_count < PACK_RUNS) {
			const struct stretch *s = &list[at->stretch];
			uint64_t length = s->length - at->done < left ? s->length - at->done : left;
			uint64_t taken = take(s, s->address + at->done, buffer, from, length, key, out);

			at->done += taken;
			from += taken;
			left -= taken;
			key += taken / COPY_PAGE;
			step(list, at);
		}
	}
	return 0;
}

EXPORT int64_t frore_native_pack(const struct stretch *list, uint64_t count, struct cursor *at, uint8_t *buffer, uint64_t room,
				 struct packed *out, struct frore_run *runs, uint64_t *passed, struct seen *seen)
{
	out->runs = runs;
	out->seen = seen;
	out->passed = passed;
	return pack_frame(list, count, at, buffer, room, out);
}
