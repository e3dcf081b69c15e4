/* Memory that belongs to no single mapping while it is filled: anonymous shared memory and the bytes of memfds and embedded files. */
#include <linux/mman.h>

#include "engine.h"
#include "fd/fd.h"

/* Each content gets its own stretch of the area, in table order. */
uint64_t contents_span(const struct artefact *a)
{
	uint64_t count, i, span = 0;
	const struct frore_content *c = ROWS(a, CONTENT, &count);

	for (i = 0; i < count; i++)
		span += PAGE_UP(c[i].size);
	return span;
}

uint64_t contents_address(const struct engine *e, uint32_t content)
{
	uint64_t count, i, at = e->area.content.start;
	const struct frore_content *c = ROWS(&e->r->artefact, CONTENT, &count);

	if (content >= count)
		return 0;
	for (i = 0; i < content; i++)
		at += PAGE_UP(c[i].size);
	return at;
}

long contents_map(struct engine *e)
{
	uint64_t count, i;
	const struct frore_content *c = ROWS(&e->r->artefact, CONTENT, &count);

	for (i = 0; i < count; i++) {
		int fd = c[i].kind == FRORE_CONTENT_SHARED_MEMORY ? -1 : content_fd(e->r, (uint32_t)i);
		int flags = MAP_SHARED | MAP_FIXED | (c[i].kind == FRORE_CONTENT_SHARED_MEMORY ? MAP_ANONYMOUS : 0);
		long ret;

		if (c[i].size == 0 || (c[i].kind != FRORE_CONTENT_SHARED_MEMORY && fd < 0))
			continue;
		ret = sys_mmap(contents_address(e, (uint32_t)i), PAGE_UP(c[i].size), PROT_READ | PROT_WRITE, flags, fd, 0);
		if (ret < 0)
			return refuse(e->r, "cannot map", artefact_text(&e->r->artefact, c[i].name), -ret, 0);
	}
	return 0;
}

/* The mappings of the target keep the memory; ours would keep a memfd from being sealed. */
long contents_unmap(struct engine *e)
{
	if (e->area.content.length)
		sys_munmap(e->area.content.start, e->area.content.length);
	return 0;
}
