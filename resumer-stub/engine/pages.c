/*
 * Page frames into memory: read, checked and decoded by all processors, each run straight into its place. Nothing of the target
 * has run yet, so a wrong checksum still ends in a refusal.
 */
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "../codec/codec.h"
#include "engine.h"
#include "switch.h"

#define CHUNK VERIFY_CHUNK
#define MANY_BYTES (8ULL << 20) /* less than this is filled faster alone */

/* What one worker has to itself; lies at the start of its stretch. */
struct worker {
	struct engine *e;
	uint32_t alive; /* cleared by the kernel when the thread is gone (CLONE_CHILD_CLEARTID) */
	uint32_t pad0;
	uint8_t *stored, *raw, *workspace, *chunk;
};

static uint32_t processors(void)
{
	uint64_t mask[128];
	long got = sys3(__NR_sched_getaffinity, 0, sizeof(mask), (long)mask), i;
	uint32_t n = 0;

	for (i = 0; i < got / 8; i++)
		for (; mask[i]; mask[i] &= mask[i] - 1)
			n++;
	return n ? n : 1;
}

/* Sizes the buffers and decides how many fill; before the area is found. */
long pages_prepare(struct engine *e)
{
	const struct artefact *a = &e->r->artefact;
	uint64_t i, total = 0;

	e->workers = 1;
	for (i = 0; i < a->frame_count; i++) {
		const struct frore_frame *f = &a->frames[i];
		uint64_t need = frore_decode_workspace(f->codec);

		total += f->raw_length;
		if (f->codec == FRORE_CODEC_NONE) {
			if (f->raw_length != f->stored_length)
				return refuse(e->r, "cannot resume this file: it is damaged,", "a page frame is too short", 0, 0);
			continue;
		}
		if (f->raw_length > FRAME_LIMIT || f->stored_length > FRAME_LIMIT)
			return refuse(e->r, "cannot resume this file: it is damaged,", "a page frame is too long", 0, 0);
		e->stored_limit = f->stored_length > e->stored_limit ? f->stored_length : e->stored_limit;
		e->raw_limit = f->raw_length > e->raw_limit ? f->raw_length : e->raw_limit;
		e->workspace = need > e->workspace ? need : e->workspace;
	}
	e->stored_limit = PAGE_UP(e->stored_limit);
	e->raw_limit = PAGE_UP(e->raw_limit);
	e->workspace = PAGE_UP(e->workspace);
	if (total > MANY_BYTES) {
		e->workers = processors();
		if (e->workers > MAX_WORKERS)
			e->workers = MAX_WORKERS;
	}
	return 0;
}

/* So much will be read, and no more. */
void pages_expect(struct engine *e, uint64_t bytes)
{
	if (bytes <= MANY_BYTES)
		e->workers = 1;
}

/* Is the run none that this process reads now? */
int pages_skip(const struct engine *e, const struct frore_run *run)
{
	if (run->source == FRORE_SOURCE_VOID)
		return 1;
	if (run->space != FRORE_SPACE_MM)
		return e->staging || !tree_is_root(e->r, e->task_row) || !contents_filled(e, run->index);
	if (e->staging)
		return !cow_is_ours(e, run);
	return run->index != e->task->mm || lazy_maps(e, run) || cow_is_staged(e, run);
}

int pages_have_data(const struct frore_run *run)
{
	return run->source == FRORE_SOURCE_STORED || run->source == FRORE_SOURCE_IMAGE || run->source == FRORE_SOURCE_VOID;
}

/* Where the bytes of a run go; 0 when it points nowhere. Runs of our mm were bounded by vmas_mark. */
static uint8_t *destination(const struct engine *e, const struct frore_run *run)
{
	uint64_t count, base;
	const struct frore_content *c = ROWS(&e->r->artefact, CONTENT, &count);

	if (run->space == FRORE_SPACE_MM)
		return (uint8_t *)(e->staging ? cow_address(e, run) : run->address);
	base = contents_address(e->r, run->index);
	if (!base || run->address > PAGE_UP(c[run->index].size) || run->length > PAGE_UP(c[run->index].size) - run->address)
		return 0;
	return (uint8_t *)(base + run->address);
}

static long fail(struct engine *e, const char *what, long err)
{
	__atomic_store_n(&e->failed, 1, __ATOMIC_SEQ_CST);
	return refuse(e->r, "cannot fill memory from the file:", what, -err, "copy the file again from where it was made");
}

static long read_hashed(struct worker *w, struct frore_hash *h, uint8_t *to, uint64_t length, uint64_t at)
{
	while (length > 0) {
		uint64_t n = length < CHUNK ? length : CHUNK;
		long got = sys_pread(w->e->r->artefact.fd, to, n, at);

		if (got <= 0)
			return fail(w->e, got < 0 ? "it cannot be read" : "it ends too early", got);
		frore_hash_update(h, to, (uint64_t)got);
		to += got;
		at += (uint64_t)got;
		length -= (uint64_t)got;
	}
	return 0;
}

/* Reads and hashes bytes nobody needs. */
static long pass_hashed(struct worker *w, struct frore_hash *h, uint64_t length, uint64_t at)
{
	while (length > 0) {
		uint64_t n = length < CHUNK ? length : CHUNK;

		if (read_hashed(w, h, w->chunk, n, at) < 0)
			return -1;
		at += n;
		length -= n;
	}
	return 0;
}

static long each_run(struct worker *w, const struct frore_frame *f, struct frore_hash *h, const uint8_t *decoded)
{
	const struct artefact *a = &w->e->r->artefact;
	uint64_t at = 0;
	uint32_t i;

	for (i = 0; i < f->run_count; i++) {
		const struct frore_run *run = &a->runs[f->first_run + i];
		uint8_t *to = pages_skip(w->e, run) ? 0 : destination(w->e, run);

		if (run->source == FRORE_SOURCE_ZERO && to)
			memset(to, 0, run->length);
		if (!pages_have_data(run))
			continue;
		if (run->length > f->raw_length - at)
			return fail(w->e, "a page frame is too short", 0);
		if (decoded) {
			if (to && to != decoded + at)
				memcpy(to, decoded + at, run->length);
		} else if (to ? read_hashed(w, h, to, run->length, f->offset + at) < 0
			      : pass_hashed(w, h, run->length, f->offset + at) < 0) {
			return -1;
		}
		at += run->length;
	}
	return at == f->raw_length ? 0 : fail(w->e, "a page frame is too long", 0);
}

/* Where a frame that is one stretch of memory decodes straight into its place, or NULL. */
static uint8_t *single_place(struct worker *w, const struct frore_frame *f)
{
	const struct frore_run *run = &w->e->r->artefact.runs[f->first_run];
	uint32_t i;

	for (i = 0; i < f->run_count; i++)
		if (pages_have_data(&run[i]))
			return run[i].length == f->raw_length && !pages_skip(w->e, &run[i]) ? destination(w->e, &run[i]) : 0;
	return 0;
}

static int wanted(struct worker *w, const struct frore_frame *f)
{
	uint32_t i;

	for (i = 0; i < f->run_count; i++)
		if (!pages_skip(w->e, &w->e->r->artefact.runs[f->first_run + i]))
			return 1;
	return 0;
}

static long decode(struct worker *w, const struct frore_frame *f)
{
	uint8_t *place = single_place(w, f);
	long ret = frore_decode(f->codec, place ? place : w->raw, f->raw_length, w->stored, f->stored_length, w->workspace,
				w->e->workspace);

	if (ret != (long)f->raw_length)
		return fail(w->e, "a page frame does not decode", 0);
	return each_run(w, f, 0, place ? place : w->raw);
}

/* The root looks at every byte; the others, and all with --lazy, read what is theirs. */
static int looks_at_all(const struct engine *e)
{
	return !e->staging && !e->r->options.lazy && tree_is_root(e->r, e->task_row);
}

static long fill_frame(struct worker *w, const struct frore_frame *f)
{
	struct frore_hash h;

	if (!looks_at_all(w->e) && !wanted(w, f))
		return 0;
	frore_hash_init(&h);
	if (f->codec == FRORE_CODEC_NONE) {
		if (each_run(w, f, &h, 0) < 0)
			return -1;
	} else if (read_hashed(w, &h, w->stored, f->stored_length, f->offset) < 0) {
		return -1;
	}
	if (pass_hashed(w, &h, f->length - f->stored_length, f->offset + f->stored_length) < 0)
		return -1;
	if (frore_hash_digest(&h) != f->checksum)
		return fail(w->e, "its checksum is wrong (damaged file)", 0);
	if (f->codec != FRORE_CODEC_NONE && wanted(w, f))
		return decode(w, f);
	return 0;
}

/* When all that is stored is in its place: pages that equal others of this address space. */
static void copy_runs(struct worker *w, const struct frore_frame *f)
{
	const struct frore_run *run = &w->e->r->artefact.runs[f->first_run];
	uint64_t at;
	uint32_t i;

	for (i = 0; i < f->run_count; i++, run++) {
		if (pages_have_data(run) || run->source == FRORE_SOURCE_ZERO || pages_skip(w->e, run))
			continue;
		if (run->source == FRORE_SOURCE_COPY)
			memcpy((void *)run->address, (const void *)run->from, run->length);
		for (at = 0; run->source == FRORE_SOURCE_REPEAT && at < run->length; at += PAGE)
			memcpy((void *)(run->address + at), (const void *)run->from, run->length - at < PAGE ? run->length - at : PAGE);
	}
}

static long fill_piece(struct worker *w, uint64_t at)
{
	const struct artefact *a = &w->e->r->artefact;

	if (at >= a->group_count)
		return fill_frame(w, &a->frames[at - a->group_count]);
	if (!looks_at_all(w->e) || artefact_verify_group(w->e->r, &a->groups[at], w->chunk) == 0)
		return 0;
	__atomic_store_n(&w->e->failed, 1, __ATOMIC_SEQ_CST);
	return -1;
}

static void fill(struct worker *w)
{
	struct engine *e = w->e;
	uint64_t pieces = e->r->artefact.group_count + e->r->artefact.frame_count;

	while (!__atomic_load_n(&e->failed, __ATOMIC_SEQ_CST)) {
		uint32_t at = __atomic_fetch_add(&e->next_piece, 1, __ATOMIC_SEQ_CST);

		if (at >= pieces || fill_piece(w, at) < 0)
			return;
	}
}

static void copy(struct worker *w)
{
	const struct artefact *a = &w->e->r->artefact;
	uint32_t at;

	while ((at = __atomic_fetch_add(&w->e->next_piece, 1, __ATOMIC_SEQ_CST)) < a->frame_count)
		copy_runs(w, &a->frames[at]);
}

static void work(struct worker *w)
{
	if (w->e->copying)
		copy(w);
	else
		fill(w);
}

static void worker_main(void *arg)
{
	work(arg);
	sys1(__NR_exit, 0);
}

static uint64_t stride_of(const struct engine *e)
{
	return STACK_SIZE + e->workspace + e->stored_limit + e->raw_limit + CHUNK;
}

static struct worker *worker_at(struct engine *e, uint32_t i)
{
	uint64_t stride = stride_of(e);
	uint64_t base = e->area.workers.start + i * stride, at = base + STACK_SIZE;
	struct worker *w = (struct worker *)base;

	w->e = e;
	w->workspace = (uint8_t *)at;
	w->stored = w->workspace + e->workspace;
	w->raw = w->stored + e->stored_limit;
	w->chunk = w->raw + e->raw_limit;
	return w;
}

static long start_worker(struct engine *e, uint32_t i)
{
	struct worker *w = worker_at(e, i);
	struct clone_arguments args = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			 CLONE_CHILD_CLEARTID,
		.child_tid = (uint64_t)&w->alive,
		.stack = (uint64_t)w + PAGE,
		.stack_size = STACK_SIZE - PAGE,
	};

	w->alive = 1;
	return clone_thread(&args, sizeof(args), worker_main, w);
}

static long work_together(struct engine *e)
{
	uint32_t i, started = 1;

	while (started < e->workers && start_worker(e, started) >= 0)
		started++;
	work(worker_at(e, 0));
	for (i = 1; i < started; i++) {
		struct worker *w = worker_at(e, i);
		uint32_t alive;

		while ((alive = __atomic_load_n(&w->alive, __ATOMIC_SEQ_CST)) != 0)
			sys_futex(&w->alive, FUTEX_WAIT, alive, 0);
	}
	return e->failed ? -1 : 0;
}

long pages_fill(struct engine *e)
{
	if (work_together(e) < 0)
		return -1;
	e->copying = 1;
	e->next_piece = 0;
	return e->copies ? work_together(e) : 0;
}

/* The same before there is a working area, for what is to be inherited. */
long pages_stage(struct engine *e)
{
	uint64_t room = e->workers * stride_of(e);
	long ret = sys_mmap(0, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ret < 0)
		return refuse(e->r, "cannot get memory for", "what relatives share", -ret, 0);
	e->area.workers.start = (uint64_t)ret;
	e->staging = 1;
	ret = work_together(e);
	e->staging = 0;
	e->next_piece = 0;
	sys_munmap(e->area.workers.start, room);
	return ret;
}
