/* Resource limits: last, because a low one would refuse what the engine itself still needs. */
#include "engine.h"

static const char *limit_name(uint32_t resource)
{
	if (resource == 3)
		return "the stack limit";
	if (resource == 7)
		return "the limit of open files";
	if (resource == 8)
		return "the limit of locked memory";
	return "a resource limit";
}

/* A hard limit can be raised only with CAP_SYS_RESOURCE: then the soft one goes as high as it may, with a warning. */
long limits_restore(struct engine *e)
{
	uint64_t count, i;
	const struct frore_rlimit *row = ROWS(&e->r->artefact, RLIMIT, &count);

	for (i = 0; i < count; i++) {
		uint64_t want[2] = {row[i].cur, row[i].max}, have[2];
		long ret;

		if (row[i].task != e->task_row)
			continue;
		if (sys4(__NR_prlimit64, 0, row[i].resource, 0, (long)have) == 0 && have[0] == want[0] && have[1] == want[1])
			continue;
		ret = sys4(__NR_prlimit64, 0, row[i].resource, (long)want, 0);
		if (ret == 0)
			continue;
		want[1] = have[1];
		if (want[0] > have[1]) {
			want[0] = have[1];
			warn(e->r, "cannot raise", limit_name(row[i].resource), -ret, "it stays at the runner's hard limit");
		}
		sys4(__NR_prlimit64, 0, row[i].resource, (long)want, 0);
	}
	return 0;
}
