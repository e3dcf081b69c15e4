/* --inspect: what is inside, in words. */
#include "out.h"

static void heading(struct out *o, struct resume *r, const struct frore_machine *m)
{
	const struct artefact *a = &r->artefact;

	out_str(o, r->exec_path ? r->exec_path : "this file");
	out_str(o, ": snapshot format ");
	out_dec(o, FRORE_FORMAT_VERSION);
	out_str(o, ", x86_64, taken ");
	out_time(o, m->realtime_ns, " ");
	out_str(o, " UTC on Linux ");
	out_str(o, artefact_text(a, m->kernel));
	out_str(o, " (");
	out_str(o, artefact_text(a, m->hostname));
	out_str(o, ")\n");
}

static void padded_size(struct out *o, uint64_t bytes)
{
	size_t start, used;

	out_flush(o);
	start = o->text.length;
	out_size(o, bytes);
	for (used = o->text.length - start; used < 10; used++)
		out_str(o, " ");
}

static void processes(struct out *o, const struct artefact *a)
{
	uint64_t count, i;
	const struct frore_task *t = artefact_table(a, FRORE_TABLE_TASK, &count);

	out_str(o, "PID     THREADS  MEMORY    FILES  COMMAND\n");
	for (i = 0; i < count; i++) {
		struct task_sum sum = sum_task(a, (uint32_t)i);

		if (t[i].flags & FRORE_TASK_TEMPORARY)
			continue;
		out_padded(o, t[i].pid, 8);
		out_padded(o, t[i].nthreads, 9);
		padded_size(o, sum.stored + sum.from_files);
		out_padded(o, (int64_t)sum.descriptors, 7);
		out_command(o, a, &t[i]);
		out_str(o, t[i].flags & FRORE_TASK_STOPPED ? " (stopped)\n" : t[i].flags & FRORE_TASK_ZOMBIE ? " (ended)\n" : "\n");
	}
}

static void amounts(struct out *o, struct resume *r, const struct frore_machine *m)
{
	const struct artefact *a = &r->artefact;
	uint64_t raw = 0, stored = 0, i;

	for (i = 0; i < a->frame_count; i++) {
		raw += a->frames[i].raw_length;
		stored += a->frames[i].stored_length;
	}
	out_size(o, a->file_size);
	out_str(o, " with codec ");
	out_str(o, codec_name(a->preamble.codec));
	out_str(o, "; ");
	out_size(o, raw);
	out_str(o, " of pages in ");
	out_size(o, stored);
	out_str(o, "; frozen by frore ");
	out_str(o, artefact_text(a, m->frore_version));
	out_str(o, "\n");
}

static void descriptors(struct out *o, const struct artefact *a)
{
	uint64_t tasks, count, i;
	const struct frore_task *t = artefact_table(a, FRORE_TABLE_TASK, &tasks);
	const struct frore_fd *f = artefact_table(a, FRORE_TABLE_FD, &count);

	for (i = 0; i < count; i++) {
		if (f[i].task >= tasks)
			continue;
		out_str(o, "process ");
		out_dec(o, t[f[i].task].pid);
		out_str(o, ", fd ");
		out_dec(o, f[i].fd);
		out_str(o, ": ");
		out_description(o, a, f[i].description);
		out_str(o, "\n");
	}
}

/* What no warning of the freeze can tell, because it depends on how the file is run. */
static void session(struct out *o, const struct artefact *a, const struct frore_machine *m)
{
	uint64_t count, terminals; /* none when it has its terminal with it */
	const struct frore_task *t = artefact_table(a, FRORE_TABLE_TASK, &count);

	artefact_table(a, FRORE_TABLE_TTY, &terminals);
	if (terminals && m->root_task < count && t[m->root_task].flags & FRORE_TASK_HAS_TTY)
		out_str(o, "session: that of the terminal it is run on, with a process group of its own; --own-tty gives it one like the old\n");
}

static void warnings(struct out *o, const struct artefact *a)
{
	uint64_t count, i;
	const struct frore_warning *w = artefact_table(a, FRORE_TABLE_WARNING, &count);

	for (i = 0; i < count; i++) {
		const char *text = artefact_text(a, w[i].text);

		out_str(o, "warning: process ");
		out_dec(o, w[i].pid);
		if (w[i].fd != FRORE_NONE) {
			out_str(o, ", fd ");
			out_dec(o, w[i].fd);
		}
		out_str(o, ": ");
		out_printable(o, text, text_length(text));
		out_str(o, "\n");
	}
}

int inspect_run(struct resume *r)
{
	struct out out;
	uint64_t count;
	const struct frore_machine *m = artefact_table(&r->artefact, FRORE_TABLE_MACHINE, &count);

	if (count != 1)
		return EXIT_OWN_FAILURE;
	if (r->options.json)
		return inspect_json(r);
	out_start(&out);
	heading(&out, r, m);
	processes(&out, &r->artefact);
	amounts(&out, r, m);
	descriptors(&out, &r->artefact);
	session(&out, &r->artefact, m);
	warnings(&out, &r->artefact);
	out_flush(&out);
	return 0;
}
