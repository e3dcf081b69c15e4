/*
 * --lazy: long stretches of anonymous memory are not read but mapped from the file, copy on write, so that the program waits for none
 * but the pages that it uses. Such memory differs from what it was in a few calls (see --help), which is why it must be asked for.
 */
#include <linux/mman.h>

#include "engine.h"

#define LEAST (32 * 1024ULL) /* less is read as fast as it is mapped */

/* Pages that follow each other in a mapping and in the file. */
struct stretch {
	uint64_t address, length, offset;
	uint32_t vma, first_run, end_run;
	uint32_t apart; /* its first page is read, and stays anonymous */
};

/* What stands in the working area: the stretches, then a bit per run. */
struct lazy {
	uint64_t count;
	struct stretch list[LAZY_STRETCHES];
	uint8_t runs[];
};

static struct lazy *lazy_of(const struct engine *e)
{
	return (struct lazy *)e->area.lazy.start;
}

/* Bytes of the working area. */
uint64_t lazy_room(const struct engine *e)
{
	return e->r->options.lazy ? sizeof(struct lazy) + e->r->artefact.run_count / 8 + 1 : 0;
}

/* Refuses when there is nothing in the file that could be mapped. */
long lazy_check(struct resume *r)
{
	if (!r->options.lazy || r->artefact.preamble.codec == FRORE_CODEC_NONE)
		return 0;
	return refuse(r, "cannot resume with", "--lazy", 0,
		      "the pages in this file are compressed: freeze with --compress none, or leave it out");
}

int lazy_maps(const struct engine *e, const struct frore_run *run)
{
	uint64_t i = (uint64_t)(run - e->r->artefact.runs);

	return e->lazy && lazy_of(e)->runs[i / 8] & 1 << i % 8;
}

static int has_guards(const struct engine *e, const struct frore_vma *v)
{
	uint64_t count, i;
	const struct frore_guard *g = ROWS(&e->r->artefact, GUARD, &count);

	for (i = 0; i < count; i++)
		if (g[i].mm == v->mm && g[i].start < v->end && g[i].end > v->start)
			return 1;
	return 0;
}

/* May its pages be those of a file, with nothing lost but what --help tells? */
static int may_map(const struct engine *e, uint64_t row)
{
	const uint32_t none = FRORE_VMA_FLAG_GROWSDOWN | FRORE_VMA_FLAG_LOCKED | FRORE_VMA_FLAG_WIPEONFORK | FRORE_VMA_FLAG_SEALED |
			      FRORE_VMA_FLAG_HUGETLB | FRORE_VMA_FLAG_STACK | FRORE_VMA_FLAG_DROPPABLE;
	const struct frore_vma *v = &e->vmas[row];

	return v->kind == FRORE_VMA_ANON && !(v->flags & none) && e->vma_state[row].fill >= LEAST &&
	       !(e->vma_state[row].flags & VMA_UNORDERED) && !has_guards(e, v);
}

/*
 * A later freeze has name and kind of a mapping from the anonymous page before the first one that is mapped from the file
 * (freezer/capture/lazy.ts): so a mapping begins with one when it has a name, or when it would take its neighbour's for its own.
 */
static int is_called(const struct engine *e, const struct frore_vma *v)
{
	return v->flags & FRORE_VMA_FLAG_HEAP || artefact_text(&e->r->artefact, v->name)[0] != 0;
}

static int begins_anonymous(const struct engine *e, uint64_t row)
{
	const struct frore_vma *v = &e->vmas[row];

	return is_called(e, v) || (row > 0 && v[-1].end == v->start && is_called(e, &v[-1]));
}

/* Takes the stretch when it is long enough. */
static void end_stretch(struct engine *e, const struct stretch *s)
{
	struct lazy *l = lazy_of(e);
	struct stretch *own;
	uint32_t i;

	if (s->length < LEAST || l->count == LAZY_STRETCHES)
		return;
	own = &l->list[l->count++];
	*own = *s;
	for (i = s->first_run; i < s->end_run; i++)
		if (pages_have_data(&e->r->artefact.runs[i]))
			l->runs[i / 8] |= (uint8_t)(1 << i % 8);
	e->vma_state[s->vma].fill -= s->length;
	if (s->address == e->vmas[s->vma].start && begins_anonymous(e, s->vma)) {
		own->apart = 1;
		e->vma_state[s->vma].fill += PAGE;
	}
}

/* Row of the mapping that a run lies in when it may be mapped from the file, or -1. */
static int64_t vma_of(const struct engine *e, const struct frore_run *run, int64_t last)
{
	int64_t at = last;

	if (run->space != FRORE_SPACE_MM || run->index != e->task->mm || run->source != FRORE_SOURCE_STORED ||
	    (run->address | run->length) & (PAGE - 1))
		return -1;
	if (at < 0 || run->address < e->vmas[at].start || run->address >= e->vmas[at].end)
		at = vma_find(e, run->address, run->length); /* vmas_mark has seen that it lies in one */
	return at >= 0 && e->vma_state[at].flags & VMA_LAZY && !cow_is_staged(e, run) ? at : -1;
}

static void find_in_frame(struct engine *e, const struct frore_frame *f, struct stretch *s)
{
	uint64_t at = f->offset;
	uint32_t i;

	for (i = f->first_run; i < f->first_run + f->run_count; i++) {
		const struct frore_run *run = &e->r->artefact.runs[i];
		int64_t vma = f->codec == FRORE_CODEC_NONE ? vma_of(e, run, s->length ? (int64_t)s->vma : -1) : -1;

		if (!pages_have_data(run))
			continue;
		if (run->length > f->offset + f->stored_length - at)
			return; /* damaged: each_run() says so */
		if (vma >= 0 && !(at & (PAGE - 1))) {
			if (!s->length || s->vma != vma || s->address + s->length != run->address || s->offset + s->length != at) {
				end_stretch(e, s);
				*s = (struct stretch){.address = run->address, .offset = at, .vma = (uint32_t)vma, .first_run = i};
			}
			s->length += run->length;
			s->end_run = i + 1;
		}
		at += run->length;
	}
}

/* Which runs are not read: after vmas_mark(), before anything is mapped. */
void lazy_plan(struct engine *e)
{
	const struct artefact *a = &e->r->artefact;
	struct stretch s = {0};
	uint64_t i, read = 0;

	if (!e->r->options.lazy)
		return;
	e->lazy = 1;
	for (i = 0; i < e->vma_count; i++)
		if (may_map(e, i))
			e->vma_state[i].flags |= VMA_LAZY;
	for (i = 0; i < a->frame_count; i++)
		find_in_frame(e, &a->frames[i], &s);
	end_stretch(e, &s);
	for (i = 0; i < a->run_count; i++)
		read += pages_skip(e, &a->runs[i]) ? 0 : a->runs[i].length;
	pages_expect(e, read);
}

/* The first page of a named mapping. */
static long read_apart(struct engine *e, struct stretch *s)
{
	long got = sys_pread(e->r->artefact.fd, (void *)s->address, PAGE, s->offset);

	if (got != (long)PAGE)
		return refuse(e->r, "cannot read", "the file itself", got < 0 ? -got : 0, 0);
	s->address += PAGE;
	s->offset += PAGE;
	s->length -= PAGE;
	return 0;
}

static long map(struct engine *e, uint64_t address, uint64_t length, int prot, int flags, uint64_t offset)
{
	long ret = sys_mmap(address, length, prot, MAP_PRIVATE | MAP_FIXED | flags, e->r->artefact.fd, offset);

	return ret < 0 ? refuse_range(e->r, "cannot map the file itself at", address, address + length, ret,
				      "leave out --lazy, or copy the file to another file system")
		       : 0;
}

/* In place of the anonymous pages that vmas_map() has made. The first page of the file's snapshot is the mark of all of them. */
long lazy_map(struct engine *e)
{
	uint64_t i, count = e->lazy ? lazy_of(e)->count : 0;
	struct piece mark = e->area.mark;

	for (i = 0; i < count; i++) {
		struct stretch *s = &lazy_of(e)->list[i];
		const struct frore_vma *v = &e->vmas[s->vma];
		int prot = e->vma_state[s->vma].fill ? PROT_READ | PROT_WRITE : (int)v->prot;

		if (s->apart && read_apart(e, s) < 0)
			return -1;
		if (map(e, s->address, s->length, prot, v->flags & FRORE_VMA_FLAG_NORESERVE ? MAP_NORESERVE : 0, s->offset) < 0)
			return -1;
	}
	if (count)
		return map(e, mark.start, mark.length, PROT_READ, 0, e->r->artefact.trailer.preamble_offset);
	if (mark.length)
		sys_munmap(mark.start, mark.length);
	return 0;
}
