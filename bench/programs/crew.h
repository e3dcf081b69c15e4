/* So many threads that take pieces of work until there are none left. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_THREADS 64

static uint64_t crew_next, crew_pieces;
static void (*crew_work)(uint64_t piece, void *own);

static void *crew_member(void *own)
{
	uint64_t piece;

	while ((piece = __atomic_fetch_add(&crew_next, 1, __ATOMIC_RELAXED)) < crew_pieces)
		crew_work(piece, own);
	return NULL;
}

/* `own` has one pointer for each thread, or is NULL. The calling thread is one of them. */
static void crew_run(int threads, uint64_t pieces, void (*work)(uint64_t piece, void *own), void **own)
{
	pthread_t ids[MOST_THREADS];

	crew_next = 0;
	crew_pieces = pieces;
	crew_work = work;
	for (int i = 1; i < threads; i++)
		pthread_create(&ids[i], NULL, crew_member, own ? own[i] : NULL);
	crew_member(own ? own[0] : NULL);
	for (int i = 1; i < threads; i++)
		pthread_join(ids[i], NULL);
}
