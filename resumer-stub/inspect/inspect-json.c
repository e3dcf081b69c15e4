/* --inspect --json: with the names that `frore inspect --json` uses, as far as it goes. */
#include "out.h"

static void text_field(struct out *o, const struct artefact *a, const char *name, struct frore_ref ref)
{
	json_text(o, name, artefact_text(a, ref));
}

static void file_fields(struct out *o, struct resume *r, const struct frore_machine *m)
{
	const struct artefact *a = &r->artefact;
	uint64_t raw = 0, stored = 0, i;

	for (i = 0; i < a->frame_count; i++) {
		raw += a->frames[i].raw_length;
		stored += a->frames[i].stored_length;
	}
	json_text(o, "file", r->exec_path ? r->exec_path : "");
	json_number(o, "bytes", (int64_t)a->file_size);
	json_number(o, "stubBytes", (int64_t)a->trailer.preamble_offset);
	json_number(o, "format", FRORE_FORMAT_VERSION);
	json_text(o, "machine", "x86_64");
	json_text(o, "codec", codec_name(a->preamble.codec));
	json_open(o, "taken", '"');
	out_time(o, m->realtime_ns, "T");
	out_str(o, "Z");
	json_close(o, '"');
	text_field(o, a, "host", m->hostname);
	text_field(o, a, "kernel", m->kernel);
	text_field(o, a, "cpu", m->cpu);
	text_field(o, a, "froreVersion", m->frore_version);
	json_open(o, "pages", '{');
	json_number(o, "raw", (int64_t)raw);
	json_number(o, "stored", (int64_t)stored);
	json_number(o, "frames", (int64_t)a->frame_count);
	json_close(o, '}');
}

static void needs_and_warnings(struct out *o, const struct artefact *a)
{
	uint64_t needs, warnings, i;
	const struct frore_cpu_need *n = artefact_table(a, FRORE_TABLE_CPU_NEED, &needs);
	const struct frore_warning *w = artefact_table(a, FRORE_TABLE_WARNING, &warnings);

	json_open(o, "cpuNeeds", '[');
	for (i = 0; i < needs; i++)
		text_field(o, a, 0, n[i].name);
	json_close(o, ']');
	json_open(o, "warnings", '[');
	for (i = 0; i < warnings; i++) {
		json_open(o, 0, '{');
		json_number(o, "pid", w[i].pid);
		if (w[i].fd == FRORE_NONE)
			json_word(o, "fd", "null");
		else
			json_number(o, "fd", w[i].fd);
		text_field(o, a, "kind", w[i].kind);
		text_field(o, a, "text", w[i].text);
		json_close(o, '}');
	}
	json_close(o, ']');
}

static void argv_field(struct out *o, const struct artefact *a, const struct frore_task *t)
{
	const char *line = artefact_bytes(a, t->cmdline);
	uint64_t start = 0, at;

	json_open(o, "argv", '[');
	for (at = 0; at < t->cmdline.length; at++)
		if (line[at] == 0 || at + 1 == t->cmdline.length) {
			json_string(o, 0, line + start, at - start + (line[at] != 0));
			start = at + 1;
		}
	json_close(o, ']');
}

static void threads_field(struct out *o, const struct artefact *a, const struct frore_task *t)
{
	uint64_t count, i;
	const struct frore_thread *h = artefact_table(a, FRORE_TABLE_THREAD, &count);

	json_open(o, "threads", '[');
	for (i = t->first_thread; i < count && i < (uint64_t)t->first_thread + t->nthreads; i++) {
		json_open(o, 0, '{');
		json_number(o, "tid", h[i].tid);
		text_field(o, a, "name", h[i].comm);
		json_close(o, '}');
	}
	json_close(o, ']');
}

/* The words of out_description() as a value: printable already, so only quotes and backslashes are left to escape. */
static void what_field(struct out *o, const struct artefact *a, uint32_t description)
{
	struct out words;

	out_start(&words);
	words.contained = 1;
	out_description(&words, a, description);
	json_string(o, "what", words.buffer, words.text.length);
}

static void descriptors_field(struct out *o, const struct artefact *a, uint32_t task)
{
	uint64_t count, descriptions, i;
	const struct frore_fd *f = artefact_table(a, FRORE_TABLE_FD, &count);
	const struct frore_description *d = artefact_table(a, FRORE_TABLE_DESCRIPTION, &descriptions);

	json_open(o, "descriptors", '[');
	for (i = 0; i < count; i++) {
		if (f[i].task != task || f[i].description >= descriptions)
			continue;
		json_open(o, 0, '{');
		json_number(o, "fd", f[i].fd);
		json_text(o, "kind", kind_name(d[f[i].description].kind));
		what_field(o, a, f[i].description);
		json_word(o, "closeOnExec", f[i].cloexec ? "true" : "false");
		json_close(o, '}');
	}
	json_close(o, ']');
}

static void process(struct out *o, const struct artefact *a, const struct frore_task *t, uint32_t row)
{
	struct task_sum sum = sum_task(a, row);

	json_open(o, 0, '{');
	json_number(o, "pid", t->pid);
	json_number(o, "ppid", t->ppid);
	json_number(o, "pgid", t->pgid);
	json_number(o, "sid", t->sid);
	argv_field(o, a, t);
	text_field(o, a, "exe", t->exe);
	text_field(o, a, "cwd", t->cwd);
	json_number(o, "uid", t->euid);
	json_number(o, "gid", t->egid);
	json_text(o, "state", t->flags & FRORE_TASK_ZOMBIE ? "ended" : t->flags & FRORE_TASK_STOPPED ? "stopped" : "running");
	text_field(o, a, "cgroup", t->cgroup);
	json_open(o, "memory", '{');
	json_number(o, "mapped", (int64_t)sum.mapped);
	json_number(o, "stored", (int64_t)sum.stored);
	json_number(o, "fromFiles", (int64_t)sum.from_files);
	json_number(o, "mappings", (int64_t)sum.mappings);
	json_close(o, '}');
	threads_field(o, a, t);
	descriptors_field(o, a, row);
	json_close(o, '}');
}

int inspect_json(struct resume *r)
{
	struct out out;
	const struct artefact *a = &r->artefact;
	uint64_t count, i;
	const struct frore_machine *m = artefact_table(a, FRORE_TABLE_MACHINE, &count);
	const struct frore_task *t = artefact_table(a, FRORE_TABLE_TASK, &count);

	out_start(&out);
	json_open(&out, 0, '{');
	file_fields(&out, r, m);
	needs_and_warnings(&out, a);
	json_open(&out, "processes", '[');
	for (i = 0; i < count; i++)
		if (!(t[i].flags & FRORE_TASK_TEMPORARY))
			process(&out, a, &t[i], (uint32_t)i);
	json_close(&out, ']');
	json_close(&out, '}');
	out_str(&out, "\n");
	out_flush(&out);
	return 0;
}
