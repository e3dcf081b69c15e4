/*
 * Compresses on all processors while the caller goes on copying memory. Frames come out in the order in which they were put in; the
 * caller keeps count of them and never puts in more than there are slots.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "native.h"

enum state { EMPTY, FULL, BUSY, DONE };

struct slot {
	enum state state;
	uint8_t *raw, *stored;
	uint64_t raw_length, raw_room, stored_room;
	int64_t stored_length;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	uint32_t codec, thread_count, slot_count;
	int level, ending;
	uint64_t put, taken, collected; /* ever; a frame's slot is its number modulo slot_count */
	pthread_t *threads;
	struct slot *slots;
};

static int make_room(uint8_t **buffer, uint64_t *room, uint64_t length)
{
	uint8_t *larger;

	if (*room >= length)
		return 0;
	larger = realloc(*buffer, length);
	if (!larger)
		return -1;
	*buffer = larger;
	*room = length;
	return 0;
}

static void compress_slot(const struct pool *pool, struct slot *slot)
{
	slot->stored_length = -1;
	if (make_room(&slot->stored, &slot->stored_room, encode_bound(slot->raw_length)) == 0)
		slot->stored_length = encode(pool->codec, pool->level, slot->stored, slot->stored_room, slot->raw, slot->raw_length);
}

static void *worker(void *arg)
{
	struct pool *pool = arg;
	struct slot *slot;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (pool->taken == pool->put && !pool->ending)
			pthread_cond_wait(&pool->work, &pool->lock);
		if (pool->ending)
			break;
		slot = &pool->slots[pool->taken++ % pool->slot_count];
		slot->state = BUSY;
		pthread_mutex_unlock(&pool->lock);
		compress_slot(pool, slot);
		pthread_mutex_lock(&pool->lock);
		slot->state = DONE;
		pthread_cond_signal(&pool->done);
	}
	pthread_mutex_unlock(&pool->lock);
	encode_forget();
	return NULL;
}

EXPORT void frore_native_pool_end(struct pool *pool)
{
	uint32_t i;

	pthread_mutex_lock(&pool->lock);
	pool->ending = 1;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	for (i = 0; i < pool->slot_count; i++) {
		free(pool->slots[i].raw);
		free(pool->slots[i].stored);
	}
	free(pool->slots);
	free(pool->threads);
	free(pool);
}

/* NULL when there is no memory or not a single thread. The threads take no signals: those are for Node. */
EXPORT struct pool *frore_native_pool_start(uint32_t codec, int level, uint32_t threads, uint32_t slots)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	sigset_t all, before;

	if (!pool)
		return NULL;
	pool->codec = codec;
	pool->level = level;
	pool->slot_count = slots;
	pool->threads = calloc(threads, sizeof(*pool->threads));
	pool->slots = calloc(slots, sizeof(*pool->slots));
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->done, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (pool->threads && pool->slots && pool->thread_count < threads &&
	       pthread_create(&pool->threads[pool->thread_count], NULL, worker, pool) == 0)
		pool->thread_count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pool->thread_count)
		return pool;
	frore_native_pool_end(pool);
	return NULL;
}

/* Copies the bytes; 0, or -1 when there is no memory or no free slot. */
EXPORT int frore_native_pool_put(struct pool *pool, const void *raw, uint64_t length)
{
	struct slot *slot = &pool->slots[pool->put % pool->slot_count];

	if (slot->state != EMPTY || make_room(&slot->raw, &slot->raw_room, length) < 0)
		return -1;
	memcpy(slot->raw, raw, length);
	slot->raw_length = length;
	pthread_mutex_lock(&pool->lock);
	slot->state = FULL;
	pool->put++;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	return 0;
}

/* Waits for the oldest frame and copies it to dst; its length, or -1 when it could not be compressed or does not fit. */
EXPORT int64_t frore_native_pool_collect(struct pool *pool, void *dst, uint64_t dst_len)
{
	struct slot *slot = &pool->slots[pool->collected % pool->slot_count];
	int64_t length;

	if (pool->collected == pool->put)
		return -1;
	pthread_mutex_lock(&pool->lock);
	while (slot->state != DONE)
		pthread_cond_wait(&pool->done, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	length = slot->stored_length;
	if (length >= 0 && (uint64_t)length <= dst_len)
		memcpy(dst, slot->stored, (uint64_t)length);
	else
		length = -1;
	slot->state = EMPTY;
	pool->collected++;
	return length;
}
