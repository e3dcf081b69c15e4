/* --check: would it run on this machine? Every reason against is a line; exit code 0 it would, 3 not, 4 damaged. */
#include "out.h"

#define EXIT_REFUSED 3
#define EXIT_DAMAGED 4

long artefact_verify_all(struct resume *r);
long cpu_check(struct resume *r);
long lazy_check(struct resume *r);

/* Takes the refusal out of the status page and adds it to the list. */
void check_reason(struct resume *r, struct out *o)
{
	struct status *s = r->status;

	if (!s->failed)
		return;
	r->check_reasons++;
	if (r->options.json) {
		json_text(o, 0, s->message);
	} else {
		out_str(o, "frore: ");
		out_str(o, s->message);
		out_str(o, "\n");
	}
	s->failed = s->message_taken = 0;
}

static const char *way_words(int way)
{
	if (way == WAY_HOST)
		return "host";
	if (way == WAY_PRIVATE)
		return "private";
	return way == WAY_WALK ? "walk" : way == WAY_RENUMBER ? "renumber" : "none";
}

static void tell_warnings(struct resume *r, struct out *o)
{
	const char *at = r->status->warnings, *end = at + r->status->warning_length, *stop;

	if (r->options.json)
		json_open(o, "warnings", '[');
	for (; at < end; at = stop + 1) {
		for (stop = at; stop < end && *stop != '\n'; stop++)
			;
		if (r->options.json) {
			json_string(o, 0, at, (size_t)(stop - at));
			continue;
		}
		out_str(o, "frore: warning: ");
		out_printable(o, at, (size_t)(stop - at));
		out_str(o, "\n");
	}
	if (r->options.json)
		json_close(o, ']');
}

static void conclude(struct resume *r, struct out *o, int way)
{
	if (r->options.json) {
		json_close(o, ']');
		tell_warnings(r, o);
		json_word(o, "runnable", r->check_reasons ? "false" : "true");
		json_text(o, "pids", way_words(way));
		json_close(o, '}');
		out_str(o, "\n");
		return;
	}
	tell_warnings(r, o);
	if (r->check_reasons)
		return;
	out_str(o, "it would run on this machine, ");
	out_str(o, way == WAY_HOST	? "with its pids among those of this machine\n"
		   : way == WAY_PRIVATE ? "with its pids in namespaces of its own: it would see only its own processes\n"
		   : way == WAY_WALK	? "with its pid after waiting for it to come up\n"
					: "with a new pid\n");
}

int check_run(struct resume *r)
{
	struct out out;
	int way;

	if (!r->options.lazy && artefact_verify_all(r) < 0) {
		say("", r->status->message, sizeof(r->status->message));
		return EXIT_DAMAGED;
	}
	out_start(&out);
	if (r->options.json) {
		json_open(&out, 0, '{');
		json_open(&out, "reasons", '[');
	}
	if (cpu_check(r) < 0)
		check_reason(r, &out);
	if (lazy_check(r) < 0)
		check_reason(r, &out);
	check_files(r, &out);
	check_sockets(r, &out);
	check_limits(r, &out);
	way = launcher_probe(r);
	check_reason(r, &out);
	conclude(r, &out, way);
	out_flush(&out);
	return r->check_reasons ? EXIT_REFUSED : 0;
}
