/* What the artefact tells about itself goes to standard output, in words or as JSON. */
#ifndef FRORE_OUT_H
#define FRORE_OUT_H

#include "../resume.h"
#include "../text.h"

struct out {
	struct text text;
	int separate; /* JSON: a comma is due before the next value */
	int contained; /* never written anywhere: what does not fit is cut off */
	char buffer[4096];
};

void out_start(struct out *o);
void out_flush(struct out *o);
void out_str(struct out *o, const char *s);
void out_printable(struct out *o, const char *s, size_t length); /* control characters as '?' */
void out_dec(struct out *o, int64_t value);
void out_size(struct out *o, uint64_t bytes); /* "1.5 MiB" */
void out_padded(struct out *o, int64_t value, int width);
void out_time(struct out *o, int64_t realtime_ns, const char *between); /* "2026-11-21T00:19:05" */
void out_command(struct out *o, const struct artefact *a, const struct frore_task *t);

/* JSON: every value first says its key, or 0 inside an array. */
void json_open(struct out *o, const char *key, char bracket);
void json_close(struct out *o, char bracket);
void json_string(struct out *o, const char *key, const char *s, size_t length);
void json_text(struct out *o, const char *key, const char *s);
void json_number(struct out *o, const char *key, int64_t value);
void json_word(struct out *o, const char *key, const char *literal); /* true, false, null */

/* What is counted for one task. */
struct task_sum {
	uint64_t mapped, stored, from_files, mappings, descriptors;
};

struct task_sum sum_task(const struct artefact *a, uint32_t task);
const char *codec_name(uint32_t codec);
const char *kind_name(uint32_t kind);
void out_description(struct out *o, const struct artefact *a, uint32_t description); /* one line of words */

int inspect_json(struct resume *r);

/* check-needs.c: each reason against a resume goes through check_reason(), which takes it out of the status page. */
void check_reason(struct resume *r, struct out *o);
void check_files(struct resume *r, struct out *o);
void check_sockets(struct resume *r, struct out *o);
void check_limits(struct resume *r, struct out *o);

#endif
