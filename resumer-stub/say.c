/* The one line in which a resume fails, and the warnings: both go into the status page, from whichever process they come. */
#include "resume.h"
#include "text.h"

static void compose(struct text *t, const char *what, const char *thing, long err, const char *hint)
{
	text_line(t, what);
	if (thing) {
		text_char(t, ' ');
		text_line(t, thing);
	}
	if (err) {
		text_str(t, ": ");
		text_errno(t, err);
	}
	if (hint) {
		text_str(t, "; ");
		text_line(t, hint);
	}
}

/* The first failure is the one that is told: what follows it is its consequence. */
long refuse(struct resume *r, const char *what, const char *thing, long err, const char *hint)
{
	struct status *s = r->status;
	struct text t;

	if (__atomic_exchange_n(&s->message_taken, 1, __ATOMIC_SEQ_CST))
		return -1;
	t = text_in(s->message, sizeof(s->message));
	compose(&t, what, thing, err, hint);
	__atomic_store_n(&s->failed, 1, __ATOMIC_SEQ_CST);
	return -1;
}

void warn(struct resume *r, const char *what, const char *thing, long err, const char *hint)
{
	struct status *s = r->status;
	char line[1024];
	struct text t = text_in(line, sizeof(line) - 1);
	uint32_t at;

	compose(&t, what, thing, err, hint);
	line[t.length++] = '\n';
	at = __atomic_load_n(&s->warning_length, __ATOMIC_SEQ_CST);
	do {
		if (at + t.length > sizeof(s->warnings))
			return;
	} while (!__atomic_compare_exchange_n(&s->warning_length, &at, at + (uint32_t)t.length, 0, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	memcpy(s->warnings + at, line, t.length);
}

/* "frore: " and the line, in one write, so that it stays whole among the output of others. */
void say(const char *kind, const char *line, size_t length)
{
	char buffer[1200];
	struct text t = text_in(buffer, sizeof(buffer) - 1);

	text_str(&t, "frore: ");
	text_str(&t, kind);
	while (length-- && *line)
		text_char(&t, *line++);
	buffer[t.length++] = '\n';
	sys_write(2, buffer, t.length);
}
