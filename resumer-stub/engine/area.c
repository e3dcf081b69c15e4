/*
 * The working area: one hole free in both address spaces, into which the stub copies itself and everything it still needs.
 * So no address is forbidden to targets.
 */
#include <linux/mman.h>

#include "../codec/codec.h"
#include "engine.h"
#include "switch.h"

#define HOLE_FIRST 0x10000000000ULL
#define STACK_ROOM (64ULL << 20) /* a growing stack keeps at least this much free below */
#define HEAP_ROOM (1ULL << 36)

static void lay(struct piece *p, uint64_t *at, uint64_t length)
{
	p->start = *at;
	p->length = PAGE_UP(length);
	*at += p->length;
}

static uint64_t vdso_span(const struct vdso *v)
{
	return v->count ? v->parts[v->count - 1].start + v->parts[v->count - 1].length - v->parts[0].start : 0;
}

static void lay_out(struct engine *e, uint64_t start)
{
	struct area *a = &e->area;
	uint64_t at = start, nthreads = e->thread_count;
	uint64_t per_thread = e->frame_size + sizeof(struct final_thread) + 4 * sizeof(struct final_call);

	lay(&a->mark, &at, e->r->options.lazy ? PAGE : 0);
	lay(&a->resident, &at, PAGE + sizeof(struct final_shared) + 192 + nthreads * per_thread + 64 * sizeof(struct final_call));
	lay(&a->image, &at, (uint64_t)(frore_image_end - frore_image_start));
	lay(&a->engine, &at, sizeof(struct engine));
	lay(&a->stacks, &at, STACK_SIZE + (nthreads - 1) * THREAD_STACK);
	lay(&a->workers, &at, e->workers * (STACK_SIZE + e->workspace + e->stored_limit + e->raw_limit + 256 * 1024));
	lay(&a->vma_state, &at, e->vma_count * sizeof(struct vma_state));
	lay(&a->lazy, &at, lazy_room(e));
	lay(&a->artefact, &at, e->r->artefact.base_length);
	lay(&a->status, &at, sizeof(struct status));
	lay(&a->vdso, &at, vdso_span(&e->vdso));
	a->all.start = start;
	a->all.length = at - start;
}

static int hits(uint64_t at, uint64_t length, uint64_t start, uint64_t size)
{
	return size && at < start + size && start < at + length;
}

/*
 * First address at or behind `at` where `length` bytes collide with no mapping of `mm` (NONE: of any), present or growing.
 */
uint64_t area_free(const struct artefact *a, uint32_t mm, uint64_t at, uint64_t length)
{
	uint64_t vmas, mms, i, before;
	const struct frore_vma *v = ROWS(a, VMA, &vmas);
	const struct frore_mm *m = ROWS(a, MM, &mms);

	do {
		before = at;
		for (i = 0; i < vmas; i++) {
			uint64_t start = v[i].start, end = v[i].end;

			if (mm != FRORE_NONE && v[i].mm != mm)
				continue;
			if (v[i].flags & FRORE_VMA_FLAG_GROWSDOWN)
				start = start > STACK_ROOM ? start - STACK_ROOM : 0;
			if (v[i].flags & FRORE_VMA_FLAG_HEAP)
				end += HEAP_ROOM;
			if (at < end + PAGE && start < at + length + PAGE)
				at = PAGE_UP(end + PAGE);
		}
		for (i = 0; i < mms; i++) {
			if (mm != FRORE_NONE && i != mm)
				continue;
			if (hits(at, length, m[i].vdso, m[i].vdso_size))
				at = PAGE_UP(m[i].vdso + m[i].vdso_size);
			if (hits(at, length, m[i].vvar, m[i].vvar_size))
				at = PAGE_UP(m[i].vvar + m[i].vvar_size);
		}
	} while (at != before);
	return at;
}

/* Finds the hole and maps it; own mappings are discovered by MAP_FIXED_NOREPLACE failing (4.17). */
long area_find(struct engine *e)
{
	uint64_t at = HOLE_FIRST, length;
	long ret = -12;

	lay_out(e, 0);
	length = e->area.all.length;
	for (;;) {
		at = area_free(&e->r->artefact, e->task->mm, at, length);
		if (at + length >= TASK_END)
			break;
		ret = sys_mmap(at, length, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
		if (ret == (long)at) {
			lay_out(e, at);
			return 0;
		}
		if (ret > 0)
			sys_munmap((uint64_t)ret, length);
		at += 1ULL << 30;
	}
	return refuse(e->r, "cannot find a free range in", "the address space", ret < 0 ? -ret : 0, "raise ulimit -v");
}

static long move(struct engine *e, uint64_t from, uint64_t length, uint64_t to, const char *what)
{
	long ret = sys_mremap(from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	return ret < 0 ? refuse(e->r, "cannot move", what, -ret, 0) : 0;
}

static void rebase(struct artefact *a, uint64_t to)
{
	uint64_t by = to - (uint64_t)a->base;

	a->base += by;
	a->head = (const void *)((uint64_t)a->head + by);
	a->directory = (const void *)((uint64_t)a->directory + by);
	a->blob += by;
	a->groups = (const void *)((uint64_t)a->groups + by);
	a->frames = (const void *)((uint64_t)a->frames + by);
	a->runs = (const void *)((uint64_t)a->runs + by);
}

/* Moves everything into the area and goes on there, in the copy of this code, with story(engine). */
void area_enter(struct engine *old, void (*story)(struct engine *))
{
	struct area *a = &old->area;
	struct engine *e = (struct engine *)a->engine.start;
	uint64_t shift = a->image.start - (uint64_t)frore_image_start;
	uint64_t head_by;
	long ret;

	if (move(old, (uint64_t)old->r->artefact.base, old->r->artefact.base_length, a->artefact.start, "the tables") < 0 ||
	    move(old, (uint64_t)old->r->status, PAGE_UP(sizeof(struct status)), a->status.start, "the status page") < 0)
		sys_exit_group(EXIT_OWN_FAILURE);
	memcpy((void *)a->image.start, frore_image_start, (size_t)(frore_image_end - frore_image_start));
	memcpy(e, old, sizeof(*e));
	e->resume = *old->r;
	e->r = &e->resume;
	head_by = a->artefact.start - (uint64_t)e->resume.artefact.base;
	rebase(&e->resume.artefact, a->artefact.start);
	e->resume.status = (struct status *)a->status.start;
	e->task = (const void *)((uint64_t)e->task + head_by);
	e->mm = (const void *)((uint64_t)e->mm + head_by);
	e->vmas = (const void *)((uint64_t)e->vmas + head_by);
	e->threads = (const void *)((uint64_t)e->threads + head_by);
	e->vma_state = (struct vma_state *)a->vma_state.start;
	e->resident = (struct resident_header *)a->resident.start;
	ret = sys_mprotect(a->image.start, a->image.length, PROT_READ | PROT_EXEC);
	if (ret < 0) {
		refuse(e->r, "cannot make", "the working area executable", -ret, 0);
		sys_exit_group(EXIT_OWN_FAILURE);
	}
	switch_stack(a->stacks.start + STACK_SIZE, (void (*)(void *))((uint64_t)story + shift), e);
}
