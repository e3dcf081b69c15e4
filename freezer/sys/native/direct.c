/*
 * Copies pages of a stopped process straight into the artefact, on all processors: each thread reads a piece, packs it, takes the next
 * place in the file when its turn has come, and writes there while others read. What is compressed needs no turn, and takes the next
 * place at once. The data of all
 * frames of a group lies together; room for their rows is left in front, and written when the threads have ended.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../../resumer-stub/codec/codec.h"
#include "copy.h"
#include "encode.h"
#include "native.h"

#define PIECES 256
#define HEAD_FIXED (sizeof(struct frore_section) + sizeof(struct frore_group))
#define HEAD_LIMIT (4UL << 20)
#define FAILED_READ 1
#define FAILED_WRITE 2

struct direct {
	pthread_mutex_t lock;
	pthread_cond_t turn_came, ended;
	const struct stretch *list;
	uint64_t count;
	struct cursor at;
	uint64_t next, turn; /* pieces taken, and whose turn it is to take a place */
	int fd, level;
	uint32_t codec;
	struct seen *seen;
	uint32_t thread_count, running;
	uint64_t left; /* bytes of the list that are in no group yet */
	uint64_t raw;
	uint64_t offset, first_frame, first_run;
	struct frore_group *groups;
	struct frore_frame *frames;
	struct frore_run *runs;
	uint64_t group_count, group_room, frame_count, frame_room, run_count, run_room;
	uint64_t head_left; /* bytes for more rows in the last group */
	int error, failed, stop;
	pthread_t threads[16];
};

struct worker {
	struct direct *d;
	uint8_t *buffer, *encoded; /* none without a codec */
	uint64_t encoded_room;
	struct stretch pieces[PIECES];
	struct frore_run runs[PACK_RUNS];
	uint64_t passed[PACK_TOLD];
};

static void give_up(struct direct *d, int failed, int error)
{
	pthread_mutex_lock(&d->lock);
	if (!d->failed) {
		d->failed = failed;
		d->error = error;
	}
	d->stop = 1;
	pthread_cond_broadcast(&d->turn_came);
	pthread_mutex_unlock(&d->lock);
}

/* The next stretches, not more than one frame holds. Returns how many; *seq is their turn. */
static uint32_t take_pieces(struct worker *w, uint64_t *seq)
{
	struct direct *d = w->d;
	uint64_t room = PACK_ROOM;
	uint32_t n = 0;

	pthread_mutex_lock(&d->lock);
	while (!d->stop && d->at.stretch < d->count && n < PIECES && room >= COPY_PAGE) {
		const struct stretch *s = &d->list[d->at.stretch];
		struct stretch *piece = &w->pieces[n++];

		*piece = *s;
		piece->address += d->at.done;
		piece->length = s->length - d->at.done < room ? s->length - d->at.done : room;
		room -= piece->length;
		d->at.done += piece->length;
		if (d->at.done == s->length) {
			d->at.stretch++;
			d->at.done = 0;
		}
	}
	if (n)
		*seq = d->next++;
	pthread_mutex_unlock(&d->lock);
	return n;
}

/* False when there is no memory. */
static int grow(void **rows, uint64_t *room, uint64_t needed, uint64_t size)
{
	uint64_t more = needed * 2;
	void *larger;

	if (needed <= *room)
		return 1;
	larger = realloc(*rows, more * size);
	if (!larger)
		return 0;
	*rows = larger;
	*room = more;
	return 1;
}

static uint64_t page_up(uint64_t n)
{
	return (n + COPY_PAGE - 1) / COPY_PAGE * COPY_PAGE;
}

/*
 * Leaves room for the rows of all that is still to come, if no more than every second page begins or ends a run of its own; when that
 * is not enough, another group is begun. False when there is no memory.
 */
static int begin_group(struct direct *d, uint64_t rows)
{
	uint64_t frames = d->left / PACK_ROOM + (d->count - d->at.stretch) / PIECES + 2, stretches = d->count - d->at.stretch;
	uint64_t room = frames * sizeof(struct frore_frame) + (2 * frames + stretches) * sizeof(struct frore_run);

	if (!grow((void **)&d->groups, &d->group_room, d->group_count + 1, sizeof(*d->groups)))
		return 0;
	if (room > HEAD_LIMIT)
		room = HEAD_LIMIT;
	if (room < rows)
		room = rows;
	room = page_up(d->offset + HEAD_FIXED + room) - d->offset;
	d->groups[d->group_count++] = (struct frore_group){
		.offset = d->offset,
		.length = room,
		.data_offset = d->offset + room,
		.first_frame = (uint32_t)(d->first_frame + d->frame_count),
	};
	d->offset += room;
	d->head_left = room - HEAD_FIXED;
	return 1;
}

/* False when there is no memory. */
static int place_frame(struct direct *d, const struct packed *p, struct frore_frame *f)
{
	uint64_t stored = f->stored_length, rows = sizeof(*f) + p->run_count * sizeof(struct frore_run), i;
	struct frore_group *group;

	if (!grow((void **)&d->frames, &d->frame_room, d->frame_count + 1, sizeof(*f)) ||
	    !grow((void **)&d->runs, &d->run_room, d->run_count + p->run_count, sizeof(*p->runs)) ||
	    ((!d->group_count || d->head_left < rows) && !begin_group(d, rows)))
		return 0;
	*f = (struct frore_frame){
		.offset = d->offset,
		.length = f->length,
		.stored_length = stored,
		.raw_length = p->length,
		.first_run = (uint32_t)(d->first_run + d->run_count),
		.run_count = p->run_count,
		.codec = p->length ? d->codec : FRORE_CODEC_NONE,
		.flags = 1,
	};
	for (i = 0; i < p->run_count; i++)
		if (p->runs[i].source != FRORE_SOURCE_IMAGE)
			f->flags = 0;
	memcpy(&d->runs[d->run_count], p->runs, p->run_count * sizeof(*p->runs));
	d->run_count += p->run_count;
	d->frame_count++;
	d->offset += f->length;
	d->head_left -= rows;
	d->raw += p->length;
	d->left -= p->length < d->left ? p->length : d->left;
	group = &d->groups[d->group_count - 1];
	group->length += f->length;
	group->frame_count++;
	return 1;
}

/* The place of a frame in the file, in the order of the turns; its row, or -1. `last`: the turn passes on. */
static int64_t take_place(struct direct *d, uint64_t seq, int last, const struct packed *p, struct frore_frame *f)
{
	int64_t row = -1;

	pthread_mutex_lock(&d->lock);
	while (d->codec == FRORE_CODEC_NONE && d->turn != seq && !d->stop)
		pthread_cond_wait(&d->turn_came, &d->lock);
	if (!d->stop && p->run_count && place_frame(d, p, f)) {
		row = (int64_t)d->frame_count - 1;
	} else if (!d->stop && p->run_count) {
		d->failed = FAILED_READ;
		d->error = ENOMEM;
		d->stop = 1;
	}
	if (last || d->stop) {
		d->turn++;
		pthread_cond_broadcast(&d->turn_came);
	}
	pthread_mutex_unlock(&d->lock);
	return row;
}

static int write_all(int fd, const uint8_t *bytes, uint64_t length, uint64_t at)
{
	while (length > 0) {
		ssize_t done = pwrite(fd, bytes, length, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? errno : EIO;
		bytes += done;
		at += (uint64_t)done;
		length -= (uint64_t)done;
	}
	return 0;
}

/* Sets both lengths; false when it cannot be compressed. */
static int encode_frame(struct worker *w, const struct packed *p, struct frore_frame *f)
{
	int64_t length = p->length;

	if (w->encoded && length)
		length = encode(w->d->codec, w->d->level, w->encoded, w->encoded_room, w->buffer, p->length);
	if (length < 0)
		return 0;
	f->stored_length = (uint64_t)length;
	f->length = (f->stored_length + 7) & ~7ULL;
	if (w->encoded)
		memset(w->encoded + length, 0, f->length - f->stored_length);
	return 1;
}

static void write_frame(struct worker *w, int64_t row, struct frore_frame *f)
{
	struct direct *d = w->d;
	const uint8_t *bytes = w->encoded ? w->encoded : w->buffer;
	int error;

	f->checksum = frore_hash_of(bytes, f->length);
	error = write_all(d->fd, bytes, f->length, f->offset);
	if (error)
		give_up(d, FAILED_WRITE, error);
	pthread_mutex_lock(&d->lock);
	d->frames[row] = *f;
	pthread_mutex_unlock(&d->lock);
}

static void copy_pieces(struct worker *w, uint32_t n, uint64_t seq)
{
	struct cursor at = {0, 0};
	int last = 0;

	while (!last) {
		struct packed packed = {.runs = w->runs, .passed = w->passed, .seen = w->d->seen};
		struct frore_frame frame = {0};
		int ret = pack_frame(w->pieces, n, &at, w->buffer, PACK_ROOM, &packed);
		int64_t row;

		if (ret < 0 || !encode_frame(w, &packed, &frame))
			give_up(w->d, FAILED_READ, ret < 0 ? -ret : ENOMEM);
		last = ret < 0 || at.stretch >= n;
		row = take_place(w->d, seq, last, &packed, &frame);
		if (row >= 0)
			write_frame(w, row, &frame);
	}
}

static void *work(void *arg)
{
	struct direct *d = arg;
	struct worker *w = calloc(1, sizeof(*w));
	uint64_t seq = 0;
	uint32_t n;

	if (w && posix_memalign((void **)&w->buffer, COPY_PAGE, PACK_ROOM) == 0) {
		w->d = d;
		if (d->codec != FRORE_CODEC_NONE) {
			w->encoded_room = encode_bound(PACK_ROOM);
			w->encoded = malloc(w->encoded_room + 8);
		}
		if (d->codec != FRORE_CODEC_NONE && !w->encoded)
			give_up(d, FAILED_READ, ENOMEM);
		while ((n = take_pieces(w, &seq)) > 0)
			copy_pieces(w, n, seq);
	} else {
		give_up(d, FAILED_READ, ENOMEM);
	}
	free(w ? w->encoded : NULL);
	free(w ? w->buffer : NULL);
	encode_forget();
	free(w);
	pthread_mutex_lock(&d->lock);
	d->running--;
	pthread_cond_signal(&d->ended);
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* `list` must live until the end. NULL when not a single thread can be had. */
EXPORT struct direct *frore_native_direct_start(const struct stretch *list, uint64_t count, int fd, uint64_t offset,
						uint64_t first_frame, uint64_t first_run, uint32_t threads, uint32_t codec,
						int level, struct seen *seen)
{
	struct direct *d = calloc(1, sizeof(*d));
	pthread_condattr_t attributes;
	sigset_t all, before;

	if (!d)
		return NULL;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->turn_came, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&d->ended, &attributes);
	d->list = list;
	d->count = count;
	d->fd = fd;
	d->codec = codec;
	d->level = level;
	d->seen = seen;
	d->offset = offset;
	d->first_frame = first_frame;
	d->first_run = first_run;
	for (uint64_t i = 0; i < count; i++)
		d->left += list[i].length;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_mutex_lock(&d->lock);
	while (d->thread_count < threads && d->thread_count < 16 &&
	       pthread_create(&d->threads[d->thread_count], NULL, work, d) == 0)
		d->thread_count++;
	d->running = d->thread_count;
	pthread_mutex_unlock(&d->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (d->thread_count)
		return d;
	free(d);
	return NULL;
}

/* Waits for not more than so many milliseconds; how many threads are still at work. */
EXPORT uint32_t frore_native_direct_wait(struct direct *d, uint32_t milliseconds)
{
	struct timespec until;
	uint32_t running;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)milliseconds * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&d->lock);
	while (d->running && pthread_cond_timedwait(&d->ended, &d->lock, &until) == 0)
		;
	running = d->running;
	pthread_mutex_unlock(&d->lock);
	return running;
}

/* The rows of a group in front of its data. An errno. */
static int write_head(struct direct *d, struct frore_group *g)
{
	uint64_t length = g->data_offset - g->offset, frames = g->first_frame - d->first_frame, runs = 0;
	struct frore_section section = {.type = FRORE_SECTION_FRAMES, .length = g->length - sizeof(section)};
	const struct frore_frame *first = &d->frames[frames];
	uint8_t *head = calloc(1, length), *at = head + HEAD_FIXED;
	int error;

	if (!head)
		return ENOMEM;
	memcpy(head, &section, sizeof(section));
	memcpy(head + sizeof(section), g, sizeof(*g));
	memcpy(at, first, g->frame_count * sizeof(*first));
	for (uint64_t i = 0; i < g->frame_count; i++)
		runs += first[i].run_count;
	memcpy(at + g->frame_count * sizeof(*first), &d->runs[first->first_run - d->first_run], runs * sizeof(*d->runs));
	g->checksum = frore_hash_of(head, length);
	memcpy(head + sizeof(section), g, sizeof(*g));
	error = write_all(d->fd, head, length, g->offset);
	free(head);
	return error;
}

struct outcome {
	uint64_t groups, frames, runs, offset, raw; /* raw: bytes of all frames before compression */
	int32_t failed, error; /* FAILED_*, errno */
};

/* Stops the threads where they are; what they have done. */
EXPORT void frore_native_direct_stop(struct direct *d, struct outcome *out)
{
	pthread_mutex_lock(&d->lock);
	d->stop = 1;
	pthread_cond_broadcast(&d->turn_came);
	pthread_mutex_unlock(&d->lock);
	for (uint32_t i = 0; i < d->thread_count; i++)
		pthread_join(d->threads[i], NULL);
	for (uint64_t i = 0; i < d->group_count && !d->failed; i++) {
		d->error = write_head(d, &d->groups[i]);
		d->failed = d->error ? FAILED_WRITE : 0;
	}
	*out = (struct outcome){d->group_count, d->frame_count, d->run_count, d->offset, d->raw, d->failed, d->error};
}

/* The rows of all groups, frames and runs; frees everything. */
EXPORT void frore_native_direct_end(struct direct *d, struct frore_group *groups, struct frore_frame *frames, struct frore_run *runs)
{
	memcpy(groups, d->groups, d->group_count * sizeof(*groups));
	memcpy(frames, d->frames, d->frame_count * sizeof(*frames));
	memcpy(runs, d->runs, d->run_count * sizeof(*runs));
	free(d->groups);
	free(d->frames);
	free(d->runs);
	free(d);
}
