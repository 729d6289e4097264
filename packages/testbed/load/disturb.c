#include "disturb.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "fail.h"

enum { MAX_THREADS = 16 };

static pthread_t threads[MAX_THREADS];
static unsigned thread_count;
static bool stopping;

/* The place of a random bit that is set. */
static unsigned choose(uint32_t kinds, struct random_stream *random)
{
	unsigned skip = random_below(random, __builtin_popcount(kinds));
	while (skip-- > 0)
		kinds &= kinds - 1;
	return __builtin_ctz(kinds);
}

static void disturb(struct disturber *d, struct random_stream *random, bool beside)
{
	unsigned kind = choose(d->kinds, random);
	bool done = disturbances[kind].act(d->device, random, beside);
	__atomic_fetch_add(done ? &d->done[kind] : &d->failed[kind], 1, __ATOMIC_RELAXED);
}

void disturb_between(struct disturber *d)
{
	/* Between rounds the device is idle, unless another thread sets a queue up and kicks it. */
	if (d->kinds != 0)
		disturb(d, &d->random, thread_count > 0);
}

static void *disturb_beside(void *argument)
{
	struct disturber *d = argument;
	static unsigned next_thread;
	/* Each thread has a sequence of its own. */
	unsigned thread = __atomic_add_fetch(&next_thread, 1, __ATOMIC_RELAXED);
	struct random_stream random = {d->seed + thread * 0x10001};
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
		next.tv_nsec += 1000000000 / d->per_second;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		disturb(d, &random, true);
	}
	return NULL;
}

void start_disturbing(struct disturber *d, unsigned count)
{
	if (d->kinds == 0 || d->per_second == 0)
		return;
	for (; thread_count < count; thread_count++)
		if (pthread_create(&threads[thread_count], NULL, disturb_beside, d) != 0)
			fail(EXIT_HOST, "cannot start a thread");
}

void stop_disturbing(struct disturber *d)
{
	(void)d;
	__atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
	while (thread_count > 0)
		pthread_join(threads[--thread_count], NULL);
}
