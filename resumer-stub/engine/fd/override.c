/* --map OLD=NEW, --fd N=WHAT and --external WHAT of the artefact's own command line (checked by main.c). */
#include "kinds.h"

/* Value of the option at argv[*i], when it is `name`; steps over a value of its own. */
static const char *value_at(const struct options *o, int *i, const char *name)
{
	const char *arg = o->argv[*i];
	size_t length = text_length(name);

	if (!text_starts(arg, name))
		return 0;
	if (arg[length] == '=')
		return arg + length + 1;
	if (arg[length] == 0 && *i + 1 < o->argc)
		return o->argv[++*i];
	return 0;
}

/* `path` with the longest OLD that it starts with replaced; in `room` (PATH_ROOM bytes) when it was. */
const char *mapped_path(const struct fds *f, const char *path, char *room)
{
	const struct options *o = &f->r->options;
	const char *best = 0;
	size_t best_length = 0;
	struct text t;
	int i;

	for (i = 1; i < o->argc; i++) {
		const char *value = value_at(o, &i, "--map");
		size_t n = 0;

		if (!value)
			continue;
		while (value[n] && value[n] != '=')
			n++;
		while (n > 1 && value[n] == '=' && value[n - 1] == '/')
			n--; /* a slash at the end means the same */
		if (n <= best_length || memcmp(value, path, n < text_length(path) ? n : text_length(path)) ||
		    (path[n < text_length(path) ? n : text_length(path)] != 0 && path[n] != '/') || n > text_length(path))
			continue;
		best = value;
		best_length = n;
	}
	if (!best)
		return path;
	t = text_in(room, PATH_ROOM);
	while (*best++ != '=')
		;
	text_str(&t, best);
	while (t.length > 1 && room[t.length - 1] == '/')
		room[--t.length] = 0;
	text_str(&t, path + best_length);
	return room;
}

static const char *external(const struct options *o)
{
	const char *found = 0;
	int i;

	for (i = 1; i < o->argc; i++) {
		const char *value = value_at(o, &i, "--external");

		if (value)
			found = value;
	}
	return found;
}

/* What --fd wants for any number of description d; what --external wants for one that had its other end outside. */
const char *override_of(const struct fds *f, uint32_t d)
{
	const struct options *o = &f->r->options;
	const char *found = 0;
	int i;

	if (o->argc < 2)
		return 0;
	for (i = 1; i < o->argc; i++) {
		const char *value = value_at(o, &i, "--fd"), *end;
		int64_t n;
		uint64_t k;

		if (!value)
			continue;
		n = text_number(value, &end);
		for (k = 0; k < f->fd_count; k++)
			if (f->fd[k].fd == n && f->fd[k].description == d && *end == '=')
				found = end + 1;
	}
	if (!found && f->description[d].kind == FRORE_KIND_HANGUP)
		found = external(o);
	return found;
}

long override_open(struct fds *f, uint32_t d, const char *what)
{
	int mode = (int)(f->description[d].status & O_ACCMODE);
	struct frore_hangup gone = {.domain = 1, .type = 1};

	if (text_equal(what, "null"))
		return stage(f, d, sys_open("/dev/null", mode | O_CLOEXEC, 0), "cannot open", "/dev/null", 0);
	if (text_equal(what, "inherit")) {
		struct frore_inherit row = {.launcher_fd = (uint32_t)wanted_fd(f, d)};

		return inherit_open(f, d, &row);
	}
	if (text_equal(what, "refuse"))
		return refuse_fd(f, d, "cannot resume", "its other end was outside", 0, "leave --external refuse out");
	if (text_equal(what, "hangup")) {
		const struct frore_hangup *row = row_at(f, FRORE_TABLE_HANGUP, f->description[d].row);
		const struct frore_socket *s = row_at(f, FRORE_TABLE_SOCKET, f->description[d].row);

		if (f->description[d].kind == FRORE_KIND_HANGUP && row)
			return hangup_open(f, d, row);
		if (f->description[d].kind == FRORE_KIND_SOCKET && s) {
			gone.domain = s->domain;
			gone.type = s->type;
		}
		return hangup_open(f, d, &gone);
	}
	return stage(f, d, sys_open(what, mode | (mode ? O_CREAT | O_APPEND : 0) | O_NOCTTY | O_CLOEXEC, 0666), "cannot open", what,
		     0);
}
