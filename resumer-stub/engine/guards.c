/* Guard pages: installed when the pages around them are filled, since nothing can be written there any more. */
#include "engine.h"

#define MADV_GUARD_INSTALL_ADVICE 102 /* Linux 6.13 */

long guards_install(struct engine *e)
{
	uint64_t count, i, missing = 0;
	const struct frore_guard *row = ROWS(&e->r->artefact, GUARD, &count);

	for (i = 0; i < count; i++) {
		if (row[i].mm != e->task->mm)
			continue;
		if (row[i].start >= row[i].end || vma_find(e, row[i].start, row[i].end - row[i].start) < 0)
			return refuse_range(e->r, "cannot resume this file: it is damaged, guard pages outside every mapping at",
					    row[i].start, row[i].end, 0, 0);
		if (sys_madvise(row[i].start, row[i].end - row[i].start, MADV_GUARD_INSTALL_ADVICE) < 0)
			missing++;
	}
	if (missing)
		warn(e->r, "cannot install guard pages", "(MADV_GUARD_INSTALL)", 0, "this kernel has none: they are ordinary memory now");
	return 0;
}
