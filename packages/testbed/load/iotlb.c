#include "iotlb.h"

#include <errno.h>
#include <linux/vhost.h>
#include <linux/vhost_types.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "fail.h"

struct job {
	int fd;
	const struct memory *memory;
};

/* Several threads add to it. */
static struct iotlb_messages counts;

static void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

struct iotlb_messages count_iotlb_messages(void)
{
	return (struct iotlb_messages){
		.misses = __atomic_load_n(&counts.misses, __ATOMIC_RELAXED),
		.updates = __atomic_load_n(&counts.updates, __ATOMIC_RELAXED),
		.invalidations = __atomic_load_n(&counts.invalidations, __ATOMIC_RELAXED),
	};
}

static void give_page(const struct job *job, uint64_t page)
{
	struct vhost_msg update = {
		.type = VHOST_IOTLB_MSG,
		.iotlb = {
			.type = VHOST_IOTLB_UPDATE,
			.iova = page,
			.size = PAGE,
			.uaddr = (uintptr_t)job->memory->all.start + (page - GUEST_BASE),
			.perm = VHOST_ACCESS_RW,
		},
	};
	if (write(job->fd, &update, sizeof update) != sizeof update)
		fail(EXIT_HOST, "cannot update the device IOTLB");
	count(&counts.updates);
}

static void *answer(void *argument)
{
	struct job job = *(struct job *)argument;
	free(argument);
	for (struct vhost_msg message; read(job.fd, &message, sizeof message) == sizeof message;) {
		if (message.type != VHOST_IOTLB_MSG || message.iotlb.type != VHOST_IOTLB_MISS)
			continue;
		count(&counts.misses);
		uint64_t page = message.iotlb.iova & ~(uint64_t)(PAGE - 1);
		if (page < GUEST_BASE || page - GUEST_BASE >= job.memory->all.bytes) {
			errno = 0;
			fail(EXIT_STALLED, "vhost asks for the address 0x%llx, which is none of ours",
			     (unsigned long long)message.iotlb.iova);
		}
		give_page(&job, page);
	}
	return NULL;
}

struct drops {
	struct job job;
	unsigned per_second;
};

static void *drop(void *argument)
{
	struct drops drops = *(struct drops *)argument;
	free(argument);
	const struct vhost_msg everything = {
		.type = VHOST_IOTLB_MSG,
		.iotlb = {
			.type = VHOST_IOTLB_INVALIDATE,
			.iova = GUEST_BASE,
			.size = drops.job.memory->all.bytes,
		},
	};
	for (;;) {
		usleep(1000000 / drops.per_second);
		if (write(drops.job.fd, &everything, sizeof everything) != sizeof everything)
			fail(EXIT_HOST, "cannot take back what the device IOTLB holds");
		count(&counts.invalidations);
	}
	return NULL;
}

static void start_thread(void *(*run)(void *), void *argument)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, run, argument) != 0)
		fail(EXIT_HOST, "cannot start a thread");
	pthread_detach(thread);
}

void start_iotlb_drops(const struct device *device, unsigned per_second)
{
	struct drops *drops = malloc(sizeof *drops);
	if (drops == NULL)
		fail(EXIT_HOST, "no memory");
	*drops = (struct drops){{device->fd, device->memory}, per_second};
	start_thread(drop, drops);
}

void start_iotlb(struct device *device)
{
	struct job *job = malloc(sizeof *job);
	if (job == NULL)
		fail(EXIT_HOST, "no memory");
	*job = (struct job){device->fd, device->memory};
	for (unsigned queue = 0; queue < QUEUES; queue++) {
		struct span used = device->memory->rings[queue].used;
		for (size_t at = 0; at < used.bytes; at += PAGE)
			give_page(job, guest_address(device->memory, used.start + at));
	}
	start_thread(answer, job);
}
