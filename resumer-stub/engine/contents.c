/*
 * Memory that belongs to no single mapping while it is filled: anonymous shared memory, the bytes of memfds and embedded files, and
 * the windows of cow.c.
 * It is staged at one place in every task: made by the root before it forks, so that relatives share it, and gone from each task
 * when that has its mappings.
 */
#include <linux/mman.h>

#include "engine.h"
#include "fd/fd.h"

#define STAGE_FIRST 0x20000000000ULL

static uint64_t span_of(const struct artefact *a)
{
	uint64_t count, i, span = 0;
	const struct frore_content *c = ROWS(a, CONTENT, &count);

	for (i = 0; i < count; i++)
		span += PAGE_UP(c[i].size);
	return span;
}

/* Each content has its own stretch, in table order. */
uint64_t contents_address(const struct resume *r, uint32_t content)
{
	uint64_t count, i, at = r->content_base;
	const struct frore_content *c = ROWS(&r->artefact, CONTENT, &count);

	if (content >= count)
		return 0;
	for (i = 0; i < content; i++)
		at += PAGE_UP(c[i].size);
	return at;
}

static long reserve(struct resume *r)
{
	uint64_t at = STAGE_FIRST, length = r->content_span;
	long ret = -12;

	for (;;) {
		at = area_free(&r->artefact, FRORE_NONE, at, length);
		if (at + length >= TASK_END)
			break;
		ret = sys_mmap(at, length, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
		if (ret == (long)at) {
			r->content_base = at;
			return 0;
		}
		if (ret > 0)
			sys_munmap((uint64_t)ret, length);
		at += 1ULL << 30;
	}
	return refuse(r, "cannot find room for", "shared memory", ret < 0 ? -ret : 0, "raise ulimit -v");
}

/* By the root task, before it forks. */
long contents_stage(struct resume *r)
{
	uint64_t count, i;
	const struct frore_content *c = ROWS(&r->artefact, CONTENT, &count);

	r->content_span = span_of(&r->artefact) + cow_span(&r->artefact);
	if (r->content_span && reserve(r) < 0)
		return -1;
	r->window_base = r->content_base + span_of(&r->artefact);
	for (i = 0; i < count; i++) {
		long ret;

		if (c[i].kind != FRORE_CONTENT_SHARED_MEMORY || c[i].size == 0)
			continue;
		ret = sys_mmap(contents_address(r, (uint32_t)i), PAGE_UP(c[i].size), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (ret < 0)
			return refuse(r, "cannot get", "shared memory", -ret, "free memory, or raise ulimit -v");
	}
	return sysv_stage(r);
}

/* An embedded file that is here already stays as it is: its bytes have nowhere to go. */
int contents_filled(const struct engine *e, uint32_t content)
{
	uint64_t count;
	const struct frore_content *c = ROWS(&e->r->artefact, CONTENT, &count);

	return content >= count || c[content].kind == FRORE_CONTENT_SHARED_MEMORY || c[content].kind == FRORE_CONTENT_SEGMENT ||
	       content_fd(e->r, content) >= 0;
}

/* By the root task, which fills them all: those that have a descriptor. */
long contents_map(struct engine *e)
{
	uint64_t count, i;
	const struct frore_content *c = ROWS(&e->r->artefact, CONTENT, &count);

	if (!tree_is_root(e->r, e->task_row))
		return 0;
	for (i = 0; i < count; i++) {
		int fd = content_fd(e->r, (uint32_t)i);
		long ret;

		if (c[i].size == 0 || fd < 0)
			continue;
		ret = sys_mmap(contents_address(e->r, (uint32_t)i), PAGE_UP(c[i].size), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED, fd, 0);
		if (ret < 0)
			return refuse(e->r, "cannot map", artefact_text(&e->r->artefact, c[i].name), -ret, 0);
	}
	return 0;
}

/* The mappings of the target keep the memory; ours would keep a memfd from being sealed. */
long contents_unmap(struct engine *e)
{
	if (e->r->content_span)
		sys_munmap(e->r->content_base, e->r->content_span);
	e->r->content_span = 0;
	return 0;
}
