/*
 * Private pages that relatives share. Copy-on-write sharing is only inherited through fork(2): the root makes every window in the
 * stage (contents.c); each task fills what its descendants have from it before it forks them, and later moves its part of the window
 * into place, without the pages that are not its own. mremap(2) moves page tables, so what was shared stays shared.
 */
#include <linux/mman.h>

#include "engine.h"

#define HUGE (WINDOW_ROOM / 2)

static const struct frore_window *windows_of(const struct artefact *a, uint64_t *count)
{
	return ROWS(a, WINDOW, count);
}

/* Address space that all windows need in the stage. */
uint64_t cow_span(const struct artefact *a)
{
	uint64_t count, i, span = 0;
	const struct frore_window *w = windows_of(a, &count);

	for (i = 0; i < count; i++)
		span += w[i].end - w[i].start + WINDOW_ROOM;
	return span;
}

/* Where the pages of a window stand while they are staged: as far into a huge page as at their own address, so that those move, too. */
static uint64_t address_of(const struct resume *r, uint32_t row)
{
	uint64_t count, i, at = r->window_base;
	const struct frore_window *w = windows_of(&r->artefact, &count);

	for (i = 0; i < row; i++)
		at += w[i].end - w[i].start + WINDOW_ROOM;
	return ((at + HUGE - 1) & ~(HUGE - 1)) + (w[row].start & (HUGE - 1));
}

static const struct frore_window *window_of(const struct engine *e, const struct frore_vma *v)
{
	uint64_t count;
	const struct frore_window *w = windows_of(&e->r->artefact, &count);

	if (v->window >= count || v->start < w[v->window].start || v->end > w[v->window].end)
		return 0;
	return &w[v->window];
}

/* Row of `same` of the mm that holds `address`, or the first one behind it; *end is the number of rows. */
static uint64_t row_at(const struct engine *e, uint32_t mm, uint64_t address, uint64_t *end)
{
	const struct frore_same *s = ROWS(&e->r->artefact, SAME, end);
	uint64_t low = 0, high = *end;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (s[middle].mm < mm || (s[middle].mm == mm && s[middle].end <= address))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The row through which others have these pages from the mm of the run, or 0. Runs never reach over the end of such a row. */
static const struct frore_same *given(const struct engine *e, const struct frore_run *run)
{
	uint64_t count, at = row_at(e, run->index, run->address, &count);
	const struct frore_same *s = ROWS(&e->r->artefact, SAME, &count);

	return at < count && s[at].mm == run->index && s[at].from == run->index && s[at].start <= run->address &&
			       run->length <= s[at].end - run->address
		       ? &s[at]
		       : 0;
}

/* Are these pages filled before a fork, by us or by our parent? */
int cow_is_staged(const struct engine *e, const struct frore_run *run)
{
	return given(e, run) != 0;
}

/* Is it us who fill them? */
int cow_is_ours(const struct engine *e, const struct frore_run *run)
{
	const struct frore_same *s = given(e, run);

	return s && s->by == e->task->mm;
}

/* Where a staged run goes; 0 when it points nowhere. */
uint64_t cow_address(const struct engine *e, const struct frore_run *run)
{
	uint64_t count;
	const struct frore_window *w = windows_of(&e->r->artefact, &count);
	const struct frore_same *s = given(e, run);

	if (!s || s->window >= count || s->start < w[s->window].start || s->end > w[s->window].end)
		return 0;
	return address_of(e->r, s->window) + (run->address - w[s->window].start);
}

/* By the root, before anything is filled: its descendants inherit all windows, whether it has a part in them or not. */
long cow_stage(struct engine *e)
{
	struct resume *r = e->r;
	uint64_t count, i;
	const struct frore_window *w = windows_of(&r->artefact, &count);

	for (i = 0; i < count; i++) {
		struct frore_vma whole;
		long ret;

		memset(&whole, 0, sizeof(whole));
		whole.start = address_of(r, (uint32_t)i);
		whole.end = whole.start + (w[i].end - w[i].start);
		whole.offset = w[i].offset;
		whole.kind = w[i].kind;
		whole.source = w[i].source;
		whole.flags = w[i].flags & FRORE_VMA_FLAG_NORESERVE;
		ret = vmas_map_staged(e, &whole);
		if (ret < 0)
			return r->status->failed ? -1
						 : refuse_range(r, "cannot stage what relatives share at", w[i].start, w[i].end, ret,
								ret == -12 ? "free memory, or raise ulimit -v" : 0);
		if (w[i].flags & FRORE_VMA_FLAG_HUGEPAGE)
			sys_madvise(whole.start, whole.end - whole.start, MADV_HUGEPAGE);
	}
	return 0;
}

static int stages_any(const struct engine *e)
{
	uint64_t count, i;
	const struct frore_same *s = ROWS(&e->r->artefact, SAME, &count);

	for (i = 0; i < count; i++)
		if (s[i].from == s[i].mm && s[i].by == e->task->mm)
			return 1;
	return 0;
}

/* Before the fork: pages that descendants have from us, or from each other. */
long cow_fill(struct engine *e)
{
	return stages_any(e) ? pages_stage(e) : 0;
}

/*
 * Instead of a mapping: its part of the window, without pages that only relatives have. The address is taken first by one that costs
 * nothing, since mremap(2) asks nobody who may be there.
 */
long cow_take(struct engine *e, const struct frore_vma *v)
{
	const struct frore_window *w = window_of(e, v);
	uint64_t count, at = row_at(e, v->mm, v->start, &count), from = v->start, length = v->end - v->start;
	const struct frore_same *s = ROWS(&e->r->artefact, SAME, &count);
	long ret;

	if (!w)
		return -22;
	ret = sys_mmap(v->start, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (ret != (long)v->start)
		return ret;
	ret = sys_mremap(address_of(e->r, v->window) + (v->start - w->start), length, length, MREMAP_MAYMOVE | MREMAP_FIXED, v->start);
	if (ret < 0)
		return ret;
	for (; ret >= 0 && from < v->end; at++) {
		int inside = at < count && s[at].mm == v->mm && s[at].start < v->end;
		uint64_t to = inside ? s[at].start : v->end;

		if (from < to)
			ret = sys_madvise(from, to - from, MADV_DONTNEED);
		from = !inside ? v->end : s[at].end > from ? s[at].end : from;
	}
	return ret < 0 ? ret : (long)v->start;
}
