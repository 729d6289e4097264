/* What all vhost devices have in common (include/uapi/linux/vhost.h). */
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "device.h"
#include "fail.h"
#include "iotlb.h"

void must_ioctl(int fd, unsigned long request, const void *argument, const char *what)
{
	if (ioctl(fd, request, argument) < 0)
		fail(EXIT_HOST, "%s failed", what);
}

static void negotiate(struct device *device, uint64_t wanted)
{
	uint64_t offered;
	must_ioctl(device->fd, VHOST_GET_FEATURES, &offered, "VHOST_GET_FEATURES");
	if ((wanted & ~offered) != 0)
		fail(EXIT_HOST, "vhost does not offer the features 0x%llx",
		     (unsigned long long)(wanted & ~offered));
	must_ioctl(device->fd, VHOST_SET_FEATURES, &wanted, "VHOST_SET_FEATURES");
	device->features = wanted;
}

static void give_memory(struct device *device)
{
	const struct memory *memory = device->memory;
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region;
	} table = {
		.head = {.nregions = 1},
		.region = {
			.guest_phys_addr = GUEST_BASE,
			.memory_size = memory->all.bytes,
			.userspace_addr = (uintptr_t)memory->all.start,
		},
	};
	must_ioctl(device->fd, VHOST_SET_MEM_TABLE, &table, "VHOST_SET_MEM_TABLE");
}

/* A bit for each page below the end of the memory. */
static void give_dirty_log(struct device *device, bool unwritable)
{
	size_t pages = (GUEST_BASE + device->memory->all.bytes) / PAGE;
	size_t bytes = (pages / 8 / PAGE + 1) * PAGE;
	char *log = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t base = (uintptr_t)log;
	if (log == MAP_FAILED)
		fail(EXIT_HOST, "no memory for the dirty log");
	must_ioctl(device->fd, VHOST_SET_LOG_BASE, &base, "VHOST_SET_LOG_BASE");
	if (unwritable && mprotect(log, bytes, PROT_READ) < 0)
		fail(EXIT_HOST, "cannot protect the dirty log");
	device->dirty_log = (struct span){log, bytes};
}

/* With the device IOTLB, vhost takes the device's addresses of the ring, else ours. */
static uint64_t ring_address(struct device *device, const void *at)
{
	if (device->features & (1ull << VIRTIO_F_ACCESS_PLATFORM))
		return guest_address(device->memory, at);
	return (uintptr_t)at;
}

void setup_ring(struct device *device, unsigned queue, unsigned base)
{
	struct virtqueue *vq = &device->queues[queue];
	must_ioctl(device->fd, VHOST_SET_VRING_NUM, &(struct vhost_vring_state){queue, vq->num},
		   "VHOST_SET_VRING_NUM");
	must_ioctl(device->fd, VHOST_SET_VRING_BASE, &(struct vhost_vring_state){queue, base},
		   "VHOST_SET_VRING_BASE");
	struct vhost_vring_addr addresses = {
		.index = queue,
		.flags = device->dirty_log.bytes > 0 ? 1 << VHOST_VRING_F_LOG : 0,
		.desc_user_addr = ring_address(device, vq->desc),
		.avail_user_addr = ring_address(device, vq->avail),
		.used_user_addr = ring_address(device, vq->used),
		.log_guest_addr = guest_address(device->memory, vq->used),
	};
	must_ioctl(device->fd, VHOST_SET_VRING_ADDR, &addresses, "VHOST_SET_VRING_ADDR");
}

void setup_vhost(struct device *device, const struct options *options, uint64_t extra_features)
{
	uint64_t features = extra_features | 1ull << VIRTIO_F_VERSION_1;
	if (options->event_idx)
		features |= 1ull << VIRTIO_RING_F_EVENT_IDX;
	if (options->dirty_log)
		features |= 1ull << VHOST_F_LOG_ALL;
	if (options->iotlb)
		features |= 1ull << VIRTIO_F_ACCESS_PLATFORM;

	must_ioctl(device->fd, VHOST_SET_OWNER, NULL, "VHOST_SET_OWNER");
	give_memory(device);
	if (options->dirty_log)
		give_dirty_log(device, options->log_unwritable);
	negotiate(device, features);
	if (options->iotlb)
		start_iotlb(device);
	for (unsigned queue = 0; queue < QUEUES; queue++) {
		struct virtqueue *vq = &device->queues[queue];
		setup_ring(device, queue, 0);
		must_ioctl(device->fd, VHOST_SET_VRING_KICK, &(struct vhost_vring_file){queue, vq->kick},
			   "VHOST_SET_VRING_KICK");
		must_ioctl(device->fd, VHOST_SET_VRING_CALL, &(struct vhost_vring_file){queue, vq->call},
			   "VHOST_SET_VRING_CALL");
		must_ioctl(device->fd, VHOST_SET_VRING_ERR, &(struct vhost_vring_file){queue, vq->error},
			   "VHOST_SET_VRING_ERR");
		if (options->busy_poll > 0)
			must_ioctl(device->fd, VHOST_SET_VRING_BUSYLOOP_TIMEOUT,
				   &(struct vhost_vring_state){queue, options->busy_poll},
				   "VHOST_SET_VRING_BUSYLOOP_TIMEOUT");
	}
}

void set_up_again(struct device *device, unsigned queue)
{
	struct vhost_vring_state state = {.index = queue};
	device->stop(device, queue);
	must_ioctl(device->fd, VHOST_GET_VRING_BASE, &state, "VHOST_GET_VRING_BASE");
	setup_ring(device, queue, state.num);
	device->start(device, queue);
	/* What was made available meanwhile was told to nobody. (vhost-vsock stops both queues.) */
	for (unsigned other = 0; other < QUEUES; other++)
		virtqueue_kick(&device->queues[other]);
}
