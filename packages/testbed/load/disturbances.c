/* The kinds of disturbances. Each leaves the rings' content as it was. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disturb.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* since Linux 6.1 */
#endif

enum { READ_WRITE = PROT_READ | PROT_WRITE };

static struct span pages_of(struct span span)
{
	return (struct span){span.start, (span.bytes + PAGE - 1) / PAGE * PAGE};
}

static struct span random_area(struct device *device, struct random_stream *random)
{
	const struct ring_memory *ring = &device->memory->rings[random_below(random, QUEUES)];
	switch (random_below(random, 3)) {
	case 0: return pages_of(ring->desc);
	case 1: return pages_of(ring->avail);
	default: return pages_of(ring->used);
	}
}

/* Whole pages of memory that holds nothing. */
static struct span random_page(struct span span, struct random_stream *random)
{
	return (struct span){span.start + random_below(random, span.bytes / PAGE) * PAGE, PAGE};
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = strlen(text);
	bool done = write(fd, text, length) == length;
	close(fd);
	return done;
}

/* To a protection and back. One that forbids what the device does is only for when it does nothing. */
static bool protect(struct span span, bool beside)
{
	int other = beside ? READ_WRITE | PROT_EXEC : PROT_READ;
	bool done = mprotect(span.start, span.bytes, other) == 0;
	return mprotect(span.start, span.bytes, READ_WRITE) == 0 && done;
}

static bool act_mprotect(struct device *device, struct random_stream *random, bool beside)
{
	return protect(random_area(device, random), beside);
}

/* Where there is no swap the pages stay, and it succeeds all the same. */
static bool act_pageout(struct device *device, struct random_stream *random, bool beside)
{
	(void)beside;
	struct span span = random_area(device, random);
	return madvise(span.start, span.bytes, MADV_PAGEOUT) == 0;
}

/* All pages become read-only for both, until each is written again. */
static bool act_fork(struct device *device, struct random_stream *random, bool beside)
{
	(void)device, (void)random, (void)beside;
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

static bool act_soft_dirty(struct device *device, struct random_stream *random, bool beside)
{
	(void)device, (void)random, (void)beside;
	return write_file("/proc/self/clear_refs", "4\n");
}

static bool act_collapse(struct device *device, struct random_stream *random, bool beside)
{
	(void)random, (void)beside;
	const struct memory *memory = device->memory;
	/* What KSM has merged cannot be collapsed. */
	madvise(memory->all.start, memory->all.bytes, MADV_UNMERGEABLE);
	return madvise(memory->all.start, HUGE_PAGE, MADV_COLLAPSE) == 0;
}

/* A page of a huge page is given back: the rest of it is mapped by small pages from then on. */
static bool act_split(struct device *device, struct random_stream *random, bool beside)
{
	(void)random, (void)beside;
	struct span spare = device->memory->spare;
	bool done = madvise(spare.start, spare.bytes, MADV_DONTNEED) == 0;
	memset(spare.start, 0, spare.bytes);
	return done;
}

/* The rings' pages get twins with the same bytes, and ksmd is let loose on both. */
static bool act_ksm(struct device *device, struct random_stream *random, bool beside)
{
	(void)random, (void)beside;
	const struct memory *memory = device->memory;
	memcpy(memory->twins.start, memory->ring_pages.start, memory->ring_pages.bytes);
	/* All of it, as a huge page cannot lie across a change of such advice. */
	return madvise(memory->all.start, memory->all.bytes, MADV_MERGEABLE) == 0 &&
	       write_file("/sys/kernel/mm/ksm/pages_to_scan", "10000\n") &&
	       write_file("/sys/kernel/mm/ksm/sleep_millisecs", "10\n") &&
	       write_file("/sys/kernel/mm/ksm/run", "1\n");
}

static bool act_compact(struct device *device, struct random_stream *random, bool beside)
{
	(void)device, (void)random, (void)beside;
	return write_file("/proc/sys/vm/compact_memory", "1\n");
}

/* An area's pages go to the other of two nodes. */
static bool act_migrate(struct device *device, struct random_stream *random, bool beside)
{
	(void)beside;
	enum { MOST = 128 };
	struct span span = random_area(device, random);
	unsigned long count = span.bytes / PAGE > MOST ? MOST : span.bytes / PAGE;
	void *pages[MOST];
	int nodes[MOST], status[MOST], target = random_below(random, 2);
	for (unsigned long i = 0; i < count; i++) {
		pages[i] = span.start + i * PAGE;
		nodes[i] = target;
	}
	enum { MPOL_MF_MOVE = 2 };
	return syscall(SYS_move_pages, 0, count, pages, nodes, status, MPOL_MF_MOVE) == 0 &&
	       status[0] >= 0;
}

static bool act_set_up(struct device *device, struct random_stream *random, bool beside)
{
	(void)beside;
	/* Two threads must not stop and start one queue across each other. */
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	unsigned queue = random_below(random, QUEUES);
	pthread_mutex_lock(&one_at_a_time);
	set_up_again(device, queue);
	pthread_mutex_unlock(&one_at_a_time);
	return true;
}

/* A range that ends where a ring begins, or begins on the page after it. */
static bool act_edge(struct device *device, struct random_stream *random, bool beside)
{
	const struct ring_memory *ring = &device->memory->rings[random_below(random, QUEUES)];
	return protect(random_below(random, 2) == 0 ? ring->edge_before : ring->edge_after, beside);
}

static bool act_elsewhere(struct device *device, struct random_stream *random, bool beside)
{
	struct span page = random_page(device->memory->far, random);
	if (random_below(random, 2) == 0)
		return protect(page, beside);
	bool done = madvise(page.start, page.bytes, MADV_DONTNEED) == 0;
	*page.start = 0;
	return done;
}

const struct disturbance disturbances[] = {
	{"mprotect", act_mprotect},
	{"pageout", act_pageout},
	{"fork", act_fork},
	{"soft-dirty", act_soft_dirty},
	{"collapse", act_collapse},
	{"split", act_split},
	{"ksm", act_ksm},
	{"compact", act_compact},
	{"migrate", act_migrate},
	{"set-up", act_set_up},
	{"edge", act_edge},
	{"elsewhere", act_elsewhere},
};

const unsigned disturbance_count = sizeof disturbances / sizeof disturbances[0];

_Static_assert(sizeof disturbances / sizeof disturbances[0] <= MAX_KINDS, "one bit for each kind");
