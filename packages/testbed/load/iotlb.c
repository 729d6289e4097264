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
}

static void *answer(void *argument)
{
	struct job job = *(struct job *)argument;
	free(argument);
	for (struct vhost_msg message; read(job.fd, &message, sizeof message) == sizeof message;) {
		if (message.type != VHOST_IOTLB_MSG || message.iotlb.type != VHOST_IOTLB_MISS)
			continue;
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

void start_iotlb(struct device *device)
{
	struct job *job = malloc(sizeof *job);
	pthread_t thread;
	if (job == NULL)
		fail(EXIT_HOST, "no memory");
	*job = (struct job){device->fd, device->memory};
	for (unsigned queue = 0; queue < QUEUES; queue++) {
		struct span used = device->memory->rings[queue].used;
		for (size_t at = 0; at < used.bytes; at += PAGE)
			give_page(job, guest_address(device->memory, used.start + at));
	}
	if (pthread_create(&thread, NULL, answer, job) != 0)
		fail(EXIT_HOST, "cannot start a thread");
	pthread_detach(thread);
}
