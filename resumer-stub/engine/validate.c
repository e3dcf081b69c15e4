/*
 * Are the tables consistent in themselves? The same as builder/validate.ts, before anything else looks at them: every row that another
 * one names is there, all bytes lie in the blob, addresses and sizes fit into an address space, and the tree can be forked. What is
 * bounded here is bounded nowhere else.
 */
#include "engine.h"

#define NAMED(TABLE, type) \
	case FRORE_TABLE_##TABLE: \
		return #type;
#define SIZED(TABLE, type) \
	case FRORE_TABLE_##TABLE: \
		return sizeof(struct frore_##type);
#define KIND_TABLE(KIND) \
	case FRORE_KIND_##KIND: \
		return FRORE_TABLE_##KIND;

/* A field of a table that names something else. */
struct reference {
	uint16_t table, at, of; /* FRORE_TABLE_*, offset, FRORE_TABLE_* */
	uint16_t more;		/* may it be NONE? Or: offset of the number of rows */
};

#define BLOB(TABLE, type, field) {FRORE_TABLE_##TABLE, offsetof(struct frore_##type, field), 0, 0},
#define ROW(TABLE, type, field, OF, none) {FRORE_TABLE_##TABLE, offsetof(struct frore_##type, field), FRORE_TABLE_##OF, none},
#define ROWS_FROM(TABLE, type, first, count, OF) \
	{FRORE_TABLE_##TABLE, offsetof(struct frore_##type, first), FRORE_TABLE_##OF, offsetof(struct frore_##type, count)},

static const struct reference blobs[] = {FRORE_BLOBS(BLOB)};
static const struct reference references[] = {FRORE_REFERENCES(ROW)};
static const struct reference stretches[] = {FRORE_STRETCHES(ROWS_FROM)};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *name_of(uint32_t table)
{
	switch (table) {
		FRORE_TABLES(NAMED)
	}
	return "a table";
}

static uint64_t size_of(uint32_t table)
{
	switch (table) {
		FRORE_TABLES(SIZED)
	}
	return 0;
}

/* The table that has the rows of a kind of description; none for another number. */
static uint32_t table_of(uint32_t kind)
{
	switch (kind) {
		FRORE_KINDS(KIND_TABLE)
	}
	return FRORE_TABLE_COUNT;
}

static long wrong(struct resume *r, uint32_t table, uint64_t row, const char *what)
{
	char line[96];
	struct text t = text_in(line, sizeof(line));

	text_str(&t, name_of(table));
	text_char(&t, '[');
	text_dec(&t, (int64_t)row);
	text_str(&t, "] ");
	text_str(&t, what);
	return refuse(r, "cannot resume this file: it is damaged,", line, 0, "copy the file again from where it was made");
}

static const void *field_of(const struct artefact *a, const struct reference *f, uint64_t row)
{
	uint64_t count;

	return (const uint8_t *)artefact_table(a, f->table, &count) + row * size_of(f->table) + f->at;
}

static uint64_t count_of(const struct artefact *a, uint32_t table)
{
	return a->directory[table].count;
}

static long check_sizes(struct resume *r)
{
	uint32_t i;

	for (i = 0; i < FRORE_TABLE_COUNT; i++)
		if (r->artefact.directory[i].row_size != size_of(i))
			return wrong(r, i, 0, "has another size than its table's");
	return 0;
}

static long check_blobs(struct resume *r)
{
	const struct artefact *a = &r->artefact;
	uint64_t i, row;

	for (i = 0; i < COUNT(blobs); i++)
		for (row = 0; row < count_of(a, blobs[i].table); row++) {
			const struct frore_ref *ref = field_of(a, &blobs[i], row);

			if (ref->offset > a->blob_length || ref->length > a->blob_length - ref->offset)
				return wrong(r, blobs[i].table, row, "refers to bytes that are not there");
		}
	return 0;
}

static long check_references(struct resume *r)
{
	const struct artefact *a = &r->artefact;
	uint64_t i, row;

	for (i = 0; i < COUNT(references); i++)
		for (row = 0; row < count_of(a, references[i].table); row++) {
			uint32_t of = *(const uint32_t *)field_of(a, &references[i], row);

			if (of >= count_of(a, references[i].of) && !(references[i].more && of == FRORE_NONE))
				return wrong(r, references[i].table, row, "names a row that is not there");
		}
	return 0;
}

static long check_stretches(struct resume *r)
{
	const struct artefact *a = &r->artefact;
	uint64_t i, row;

	for (i = 0; i < COUNT(stretches); i++)
		for (row = 0; row < count_of(a, stretches[i].table); row++) {
			struct reference number = {stretches[i].table, stretches[i].more, 0, 0};
			uint64_t first = *(const uint32_t *)field_of(a, &stretches[i], row);
			uint64_t count = *(const uint32_t *)field_of(a, &number, row);

			if (count && first + count > count_of(a, stretches[i].of))
				return wrong(r, stretches[i].table, row, "names rows that are not there");
		}
	return 0;
}

static long check_descriptions(struct resume *r)
{
	uint64_t count, i;
	const struct frore_description *d = ROWS(&r->artefact, DESCRIPTION, &count);

	for (i = 0; i < count; i++) {
		uint32_t table = table_of(d[i].kind);

		if (table == FRORE_TABLE_COUNT || d[i].row >= count_of(&r->artefact, table))
			return wrong(r, FRORE_TABLE_DESCRIPTION, i, "is of no kind, or names a row that is not there");
	}
	return 0;
}

/* Whole pages below the end of user space. */
static int are_pages(uint64_t start, uint64_t end)
{
	return start < end && end <= TASK_END && !((start | end) & (PAGE - 1));
}

static int has_source(const struct artefact *a, uint32_t kind, uint32_t source)
{
	switch (kind) {
	case FRORE_VMA_ANON:
		return 1;
	case FRORE_VMA_FILE_PRIVATE:
	case FRORE_VMA_FILE_SHARED:
		return source < count_of(a, FRORE_TABLE_IMAGE);
	case FRORE_VMA_CONTENT_PRIVATE:
	case FRORE_VMA_CONTENT_SHARED:
		return source < count_of(a, FRORE_TABLE_CONTENT);
	}
	return 0;
}

/* By address space and address, which lets them be looked for by halving. */
static long check_mappings(struct resume *r)
{
	const struct artefact *a = &r->artefact;
	uint64_t count, windows, i;
	const struct frore_vma *v = ROWS(a, VMA, &count);
	const struct frore_window *w = ROWS(a, WINDOW, &windows);

	for (i = 0; i < count; i++) {
		if (!are_pages(v[i].start, v[i].end) || !has_source(a, v[i].kind, v[i].source))
			return wrong(r, FRORE_TABLE_VMA, i, "is no mapping");
		if (i && (v[i].mm < v[i - 1].mm || (v[i].mm == v[i - 1].mm && v[i].start < v[i - 1].end)))
			return wrong(r, FRORE_TABLE_VMA, i, "overlaps the one before it");
		if (v[i].window != FRORE_NONE && (v[i].start < w[v[i].window].start || v[i].end > w[v[i].window].end))
			return wrong(r, FRORE_TABLE_VMA, i, "reaches over its window");
	}
	return 0;
}

/* No window, and not all of them together, may be larger than an address space, in which they are staged. */
static long check_windows(struct resume *r)
{
	const struct artefact *a = &r->artefact;
	uint64_t count, i, span = 0;
	const struct frore_window *w = ROWS(a, WINDOW, &count);

	for (i = 0; i < count; i++) {
		if (!are_pages(w[i].start, w[i].end) || !has_source(a, w[i].kind, w[i].source))
			return wrong(r, FRORE_TABLE_WINDOW, i, "is no window");
		span += w[i].end - w[i].start + WINDOW_ROOM;
		if (span >= TASK_END)
			return wrong(r, FRORE_TABLE_WINDOW, i, "is too large");
	}
	return 0;
}

static long check_same(struct resume *r)
{
	uint64_t count, windows, i;
	const struct frore_same *s = ROWS(&r->artefact, SAME, &count);
	const struct frore_window *w = ROWS(&r->artefact, WINDOW, &windows);

	for (i = 0; i < count; i++) {
		if (!are_pages(s[i].start, s[i].end) || s[i].start < w[s[i].window].start || s[i].end > w[s[i].window].end)
			return wrong(r, FRORE_TABLE_SAME, i, "lies outside of its window");
		if (i && (s[i].mm < s[i - 1].mm || (s[i].mm == s[i - 1].mm && s[i].start < s[i - 1].end)))
			return wrong(r, FRORE_TABLE_SAME, i, "is out of order");
	}
	return 0;
}

static long check_spaces(struct resume *r)
{
	const struct artefact *a = &r->artefact;
	uint64_t count, i, span = 0;
	const struct frore_mm *m = ROWS(a, MM, &count);
	const struct frore_content *c;

	for (i = 0; i < count; i++)
		if (m[i].vdso > TASK_END || m[i].vdso_size > TASK_END - m[i].vdso || m[i].vvar > TASK_END ||
		    m[i].vvar_size > TASK_END - m[i].vvar)
			return wrong(r, FRORE_TABLE_MM, i, "has its vdso outside of user space");
	c = ROWS(a, CONTENT, &count);
	for (i = 0; i < count; i++) {
		span += c[i].size < TASK_END ? c[i].size + PAGE : TASK_END;
		if (span >= TASK_END)
			return wrong(r, FRORE_TABLE_CONTENT, i, "is too large");
	}
	return 0;
}

static long check_runs(struct resume *r)
{
	const struct artefact *a = &r->artefact;
	uint64_t i;

	for (i = 0; i < a->run_count; i++) {
		const struct frore_run *run = &a->runs[i];

		if (run->space > FRORE_SPACE_CONTENT || run->source > FRORE_SOURCE_VOID ||
		    (run->space != FRORE_SPACE_MM && (run->source == FRORE_SOURCE_COPY || run->source == FRORE_SOURCE_REPEAT)) ||
		    run->index >= count_of(a, run->space == FRORE_SPACE_MM ? FRORE_TABLE_MM : FRORE_TABLE_CONTENT))
			return refuse(r, "cannot resume this file: it is damaged,", "a run of pages points nowhere", 0, 0);
	}
	return 0;
}

/* What forks a task is its parent, or a child of that; and so on up to the root, or it would be waited for in vain. */
static int is_forked(const struct frore_task *all, uint64_t count, uint32_t root, uint32_t row)
{
	const struct frore_task *t = &all[row], *maker = t->maker == FRORE_NONE ? 0 : &all[t->maker];
	uint64_t steps;

	if (row == root)
		return !maker && t->parent == FRORE_NONE &&
		       !(t->flags & (FRORE_TASK_ZOMBIE | FRORE_TASK_EARLY | FRORE_TASK_SHARES_FILES | FRORE_TASK_SHARES_FS));
	if (!maker || t->parent == FRORE_NONE || (t->parent != t->maker && t->parent != maker->parent))
		return 0;
	for (steps = 0; row != root && steps < count; steps++) {
		row = all[row].maker;
		if (row == FRORE_NONE)
			return 0;
	}
	return row == root;
}

static long check_tree(struct resume *r)
{
	uint64_t machines, count, i;
	const struct frore_machine *m = ROWS(&r->artefact, MACHINE, &machines);
	const struct frore_task *t = ROWS(&r->artefact, TASK, &count);

	if (machines != 1 || count >= READY_MASK)
		return refuse(r, "cannot resume this file: it is damaged,", "it has no root task, or too many tasks", 0, 0);
	for (i = 0; i < count; i++) {
		uint32_t shared = t[i].flags & (FRORE_TASK_SHARES_FILES | FRORE_TASK_SHARES_FS);

		if (!is_forked(t, count, m->root_task, (uint32_t)i))
			return wrong(r, FRORE_TABLE_TASK, i, "is forked by nobody");
		if (t[i].flags & FRORE_TASK_ZOMBIE ? shared != 0 : t[i].nthreads == 0)
			return wrong(r, FRORE_TABLE_TASK, i, "lives without a thread, or shares after its end");
	}
	return 0;
}

long validate(struct resume *r)
{
	if (check_sizes(r) < 0 || check_blobs(r) < 0 || check_references(r) < 0 || check_stretches(r) < 0 || check_descriptions(r) < 0 ||
	    check_windows(r) < 0 || check_mappings(r) < 0 || check_same(r) < 0 || check_spaces(r) < 0 || check_runs(r) < 0 ||
	    check_tree(r) < 0)
		return -1;
	return 0;
}
