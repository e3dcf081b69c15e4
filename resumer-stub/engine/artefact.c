/* Opens the file we run from, finds the snapshot behind the stub and checks everything but the page frames. */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "../codec/codec.h"
#include "engine.h"

#define MAGIC_PREAMBLE 0x504e5345524f5246ULL /* "FRORESNP" */
#define MAGIC_TRAILER 0x444e4545524f5246ULL  /* "FROREEND" */
#define MACHINE_X86_64 62
#define HEAD_LIMIT (1ULL << 32)
#define MANY_TABLES (1ULL << 18)

static long damaged(struct resume *r, const char *what)
{
	return refuse(r, "cannot resume this file: it is damaged,", what, 0, "copy the file again from where it was made");
}

static long read_exactly(struct resume *r, void *to, uint64_t length, uint64_t at)
{
	uint8_t *out = to;

	while (length > 0) {
		long got = sys_pread(r->artefact.fd, out, length, at);

		if (got < 0)
			return refuse(r, "cannot read", "the file itself", -got, 0);
		if (got == 0)
			return damaged(r, "it ends too early");
		out += got;
		at += (uint64_t)got;
		length -= (uint64_t)got;
	}
	return 0;
}

static uint64_t hash_bytes(const void *at, uint64_t length)
{
	struct frore_hash h;

	frore_hash_init(&h);
	frore_hash_update(&h, at, length);
	return frore_hash_digest(&h);
}

static long check_preamble(struct resume *r)
{
	struct frore_preamble *p = &r->artefact.preamble;

	if (p->magic != MAGIC_PREAMBLE)
		return damaged(r, "the preamble is not one");
	if (p->version != FRORE_FORMAT_VERSION || p->schema_hash != FRORE_SCHEMA_HASH)
		return refuse(r, "cannot resume this file:", "its snapshot is of another format version than its stub", 0,
			      "freeze again with one frore");
	if (p->arch != MACHINE_X86_64)
		return refuse(r, "cannot resume this file:", "it was made for another architecture", 0, 0);
	if (p->page_size != PAGE)
		return refuse(r, "cannot resume this file:", "it was made for another page size", 0, 0);
	if (p->checksum != hash_bytes(p, offsetof(struct frore_preamble, checksum)))
		return damaged(r, "the preamble's checksum is wrong");
	return 0;
}

/* HEAD and INDEX lie next to each other before the trailer: one mapping, one read. */
static long read_tables(struct resume *r)
{
	struct artefact *a = &r->artefact;
	const struct frore_trailer *t = &a->trailer;
	uint64_t head_section = t->head_offset - sizeof(struct frore_section);
	uint64_t index_section = t->index_offset - sizeof(struct frore_section);
	uint64_t trailer_at = a->file_size - sizeof(*t);
	uint64_t length = trailer_at - head_section;
	struct frore_hash h;
	int sharing;
	long ret;

	if (t->head_offset < sizeof(struct frore_section) || t->index_offset < t->head_offset + sizeof(struct frore_section) ||
	    t->head_offset >= trailer_at || t->index_offset >= trailer_at || length > HEAD_LIMIT ||
	    t->head_length > index_section - t->head_offset || t->index_length > trailer_at - t->index_offset)
		return damaged(r, "the trailer points outside");
	a->base_length = PAGE_UP(length);
	/* nobody writes to them; page tables of shared memory are not copied by fork, those of private memory are, task by task */
	sharing = length > MANY_TABLES ? MAP_SHARED : MAP_PRIVATE;
	ret = sys_mmap(0, a->base_length, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
	if (ret < 0)
		return refuse(r, "cannot get memory for", "the snapshot's tables", -ret, 0);
	a->base = (uint8_t *)ret;
	ret = read_exactly(r, a->base, length, head_section);
	if (ret < 0)
		return ret;
	if (hash_bytes(a->base, index_section - head_section) != t->head_checksum)
		return damaged(r, "the checksum of its tables is wrong");
	frore_hash_init(&h);
	frore_hash_update(&h, a->base + (index_section - head_section), trailer_at - index_section);
	frore_hash_update(&h, t, offsetof(struct frore_trailer, checksum));
	if (frore_hash_digest(&h) != t->checksum)
		return damaged(r, "the checksum of its index is wrong");
	a->head = (const struct frore_head *)(a->base + sizeof(struct frore_section));
	return 0;
}

static long bound_tables(struct resume *r)
{
	struct artefact *a = &r->artefact;
	const struct frore_trailer *t = &a->trailer;
	const struct frore_index *index;
	uint64_t i, room = t->index_length - sizeof(*index);

	if (t->head_length < sizeof(*a->head) || t->index_length < sizeof(*index) || a->head->tables != FRORE_TABLE_COUNT ||
	    a->head->blob_offset > t->head_length || a->head->blob_length > t->head_length - a->head->blob_offset ||
	    t->head_length < sizeof(*a->head) + FRORE_TABLE_COUNT * sizeof(struct frore_directory))
		return damaged(r, "a table is out of bounds");
	a->directory = (const struct frore_directory *)(a->head + 1);
	a->blob = (const uint8_t *)a->head + a->head->blob_offset;
	a->blob_length = a->head->blob_length;
	for (i = 0; i < FRORE_TABLE_COUNT; i++) {
		const struct frore_directory *d = &a->directory[i];

		if (d->id != i || d->row_size == 0 || d->offset > t->head_length ||
		    d->count > (t->head_length - d->offset) / d->row_size)
			return damaged(r, "a table is out of bounds");
	}
	index = (const struct frore_index *)(a->base + (t->index_offset - t->head_offset) + sizeof(struct frore_section));
	if (index->groups > room / sizeof(struct frore_group))
		return damaged(r, "the index is out of bounds");
	room -= index->groups * sizeof(struct frore_group);
	if (index->frames > room / sizeof(struct frore_frame))
		return damaged(r, "the index is out of bounds");
	room -= index->frames * sizeof(struct frore_frame);
	if (index->runs > room / sizeof(struct frore_run))
		return damaged(r, "the index is out of bounds");
	a->groups = (const struct frore_group *)(index + 1);
	a->group_count = index->groups;
	a->frames = (const struct frore_frame *)(a->groups + a->group_count);
	a->frame_count = index->frames;
	a->runs = (const struct frore_run *)(a->frames + a->frame_count);
	a->run_count = index->runs;
	return 0;
}

/* Where the group ends, or 0: its frames are neighbours from its data to its end, and take one run after the other. */
static uint64_t bound_group(const struct artefact *a, const struct frore_group *g, uint64_t limit)
{
	uint64_t head = sizeof(struct frore_section) + sizeof(*g), at = g->data_offset, end = g->offset + g->length;
	uint64_t i, run_end = 0;

	if (g->length > limit - g->offset || at < g->offset || at > end || g->first_frame > a->frame_count ||
	    g->frame_count > a->frame_count - g->first_frame)
		return 0;
	for (i = 0; i < g->frame_count; i++) {
		const struct frore_frame *f = &a->frames[g->first_frame + i];

		if (f->offset != at || f->length > end - at || f->stored_length > f->length || f->first_run > a->run_count ||
		    f->run_count > a->run_count - f->first_run || (i > 0 && f->first_run != run_end))
			return 0;
		at += f->length;
		run_end = f->first_run + f->run_count;
		head += sizeof(*f);
	}
	return at == end && head <= g->data_offset - g->offset ? end : 0;
}

/* Every byte between preamble and HEAD belongs to exactly one group, so that no flipped bit escapes the checksums. */
static long bound_groups(struct resume *r)
{
	struct artefact *a = &r->artefact;
	uint64_t at = a->trailer.preamble_offset + sizeof(struct frore_preamble);
	uint64_t limit = a->trailer.head_offset - sizeof(struct frore_section), frames = 0, i;

	for (i = 0; i < a->group_count; i++) {
		const struct frore_group *g = &a->groups[i];

		if (g->offset != at || at > limit || g->first_frame != frames || (at = bound_group(a, g, limit)) == 0)
			return damaged(r, "a page frame is out of bounds");
		frames += g->frame_count;
	}
	if (at != limit || frames != a->frame_count)
		return damaged(r, "its page frames are not complete");
	return 0;
}

/* Opens our own file: /proc/self/exe, or where /proc is missing the path the kernel executed (AT_EXECFN is argv-independent). */
long artefact_open(struct resume *r)
{
	struct artefact *a = &r->artefact;
	struct frore_trailer *t = &a->trailer;
	long ret = sys_open("/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);

	if (ret < 0 && r->exec_path)
		ret = sys_open(r->exec_path, O_RDONLY | O_CLOEXEC, 0);
	if (ret < 0)
		return refuse(r, "cannot open", "the file itself", -ret, "make it readable: chmod u+r");
	a->fd = (int)ret;
	ret = sys3(__NR_lseek, a->fd, 0, 2);
	if (ret < (long)sizeof(*t))
		return damaged(r, "it is too short");
	a->file_size = (uint64_t)ret;
	ret = read_exactly(r, t, sizeof(*t), a->file_size - sizeof(*t));
	if (ret < 0)
		return ret;
	if (t->magic != MAGIC_TRAILER)
		return damaged(r, "it has no snapshot at its end (truncated or stripped)");
	if (t->preamble_offset > a->file_size - sizeof(a->preamble))
		return damaged(r, "the trailer points outside");
	ret = read_exactly(r, &a->preamble, sizeof(a->preamble), t->preamble_offset);
	if (ret < 0 || (ret = check_preamble(r)) < 0 || (ret = read_tables(r)) < 0 || (ret = bound_tables(r)) < 0)
		return ret;
	ret = bound_groups(r);
	return ret < 0 ? ret : validate(r);
}

/* Reads through a small buffer and compares the checksum; `sum_at`: the field that is taken as 0, or none. */
static long verify(struct resume *r, uint64_t from, uint64_t length, uint64_t checksum, uint8_t *buffer, uint64_t sum_at)
{
	struct frore_hash h;
	uint64_t at = 0;

	frore_hash_init(&h);
	while (at < length) {
		uint64_t n = length - at < VERIFY_CHUNK ? length - at : VERIFY_CHUNK;

		if (read_exactly(r, buffer, n, from + at) < 0)
			return -1;
		if (at == 0 && sum_at)
			*(uint64_t *)(buffer + sum_at) ^= checksum; /* 0 when the two copies agree */
		frore_hash_update(&h, buffer, n);
		at += n;
	}
	return frore_hash_digest(&h) == checksum ? 0 : damaged(r, "the checksum of its memory pages is wrong");
}

/* What the index says of a group is what the group says of itself. `buffer` has room for VERIFY_CHUNK bytes. */
long artefact_verify_group(struct resume *r, const struct frore_group *g, uint8_t *buffer)
{
	uint64_t sum_at = sizeof(struct frore_section) + offsetof(struct frore_group, checksum);

	return verify(r, g->offset, g->data_offset - g->offset, g->checksum, buffer, sum_at);
}

/* Every page frame, for --check, before anything runs. */
long artefact_verify_all(struct resume *r)
{
	struct artefact *a = &r->artefact;
	long ret = sys_mmap(0, VERIFY_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *buffer = (uint8_t *)ret;
	uint64_t i;

	if (ret < 0)
		return refuse(r, "cannot get memory for", "reading the file", -ret, 0);
	for (i = 0; i < a->group_count; i++)
		if (artefact_verify_group(r, &a->groups[i], buffer) < 0)
			return -1;
	for (i = 0; i < a->frame_count; i++)
		if (verify(r, a->frames[i].offset, a->frames[i].length, a->frames[i].checksum, buffer, 0) < 0)
			return -1;
	sys_munmap((uint64_t)buffer, VERIFY_CHUNK);
	return 0;
}

const void *artefact_table(const struct artefact *a, uint32_t id, uint64_t *count)
{
	*count = a->directory[id].count;
	return (const uint8_t *)a->head + a->directory[id].offset;
}

const char *artefact_text(const struct artefact *a, struct frore_ref ref)
{
	/* The encoder ends each text in NUL; a reference outside the blob reads as empty. */
	if ((uint64_t)ref.offset + ref.length >= a->blob_length || a->blob[ref.offset + ref.length] != 0)
		return "";
	return (const char *)a->blob + ref.offset;
}

const void *artefact_bytes(const struct artefact *a, struct frore_ref ref)
{
	return a->blob + ref.offset;
}
