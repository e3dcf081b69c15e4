/*
 * Where the kernel places new mappings is fixed at exec, from the stack limit and the personality of that moment
 * (arch/x86/mm/mmap.c): with others than the program had, new mappings would get in the way of its growing stack.
 */
#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#include "launcher.h"

#define MARKER "FRORE_EXECUTED_AGAIN="
#define LAYOUT (ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT)
#define GAP_MIN (128ULL << 20)
#define GAP_MAX (0x7ffffffff000ULL / 6 * 5)

static uint64_t gap(uint64_t limit)
{
	return limit < GAP_MIN ? GAP_MIN : limit > GAP_MAX ? GAP_MAX : limit;
}

static const struct frore_rlimit *stack_limit(struct resume *r, uint32_t task)
{
	uint64_t count, i;
	const struct frore_rlimit *row = artefact_table(&r->artefact, FRORE_TABLE_RLIMIT, &count);

	for (i = 0; i < count; i++)
		if (row[i].task == task && row[i].resource == RLIMIT_STACK)
			return &row[i];
	return 0;
}

/* The second time: the name that executing /proc/self/exe has taken away. 1 when this is the second time. */
static int came_back(struct resume *r)
{
	char **at;

	for (at = r->options.envp; *at; at++)
		if (text_starts(*at, MARKER)) {
			sys_prctl(PR_SET_NAME, (unsigned long)(*at + sizeof(MARKER) - 1), 0, 0, 0);
			return 1;
		}
	return 0;
}

static long execute_again(struct resume *r)
{
	char marker[sizeof(MARKER) + 16] = MARKER;
	char **envp;
	uint64_t count = 0;
	long ret;

	sys_prctl(PR_GET_NAME, (unsigned long)(marker + sizeof(MARKER) - 1), 0, 0, 0);
	while (r->options.envp[count])
		count++;
	ret = sys_mmap(0, PAGE_UP((count + 2) * sizeof(char *)), 3, 0x22, -1, 0);
	if (ret < 0)
		return ret;
	envp = (char **)ret;
	memcpy(envp, r->options.envp, count * sizeof(char *));
	envp[count] = marker;
	ret = sys3(__NR_execve, (long)"/proc/self/exe", (long)r->argv, (long)envp);
	if (ret < 0 && r->exec_path)
		ret = sys3(__NR_execve, (long)r->exec_path, (long)r->argv, (long)envp);
	return ret;
}

/* Where it fails, or the hard limit is too low, the program runs all the same: its stack may just grow less far. */
long reexec_if_needed(struct resume *r)
{
	uint64_t count;
	const struct frore_machine *m = artefact_table(&r->artefact, FRORE_TABLE_MACHINE, &count);
	const struct frore_task *t = artefact_table(&r->artefact, FRORE_TABLE_TASK, &count);
	const struct frore_rlimit *row = stack_limit(r, m->root_task);
	uint32_t personality = t[m->root_task].personality;
	struct rlimit have;
	int again = 0;
	long now;

	if (came_back(r))
		return 0;
	now = sys1(__NR_personality, 0xffffffff);
	if (now >= 0 && ((uint32_t)now ^ personality) & LAYOUT)
		again = sys1(__NR_personality, (long)(((uint32_t)now & ~LAYOUT) | (personality & LAYOUT))) >= 0;
	if (row && sys2(__NR_getrlimit, RLIMIT_STACK, (long)&have) == 0 && gap(have.rlim_cur) != gap(row->cur)) {
		have.rlim_cur = row->cur < have.rlim_max ? row->cur : have.rlim_max;
		again |= sys2(__NR_setrlimit, RLIMIT_STACK, (long)&have) == 0;
	}
	if (again && execute_again(r) < 0)
		warn(r, "cannot execute", "the file once more for the program's stack limit", 0, "its stack may grow less far");
	return 0;
}
