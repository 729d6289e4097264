#include "virtqueue.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fail.h"

/* x86 and every other host that this runs on is little endian, as the ring is. */

static int make_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		fail(EXIT_HOST, "cannot make an eventfd");
	return fd;
}

/* All chains are fixed: head k * chain leads to the descriptors that follow it. */
static void write_descriptors(struct virtqueue *vq, const struct memory *memory,
			      enum buffer_use use, unsigned packet_bytes)
{
	uint16_t write_flag = use == DEVICE_WRITES ? VRING_DESC_F_WRITE : 0;
	unsigned piece = packet_bytes / vq->chain;
	for (unsigned head = 0; head + vq->chain <= vq->num; head += vq->chain) {
		for (unsigned part = 0; part < vq->chain; part++) {
			bool last = part + 1 == vq->chain;
			char *at = virtqueue_buffer(vq, head) + part * piece;
			vq->desc[head + part] = (struct vring_desc){
				.addr = guest_address(memory, at),
				.len = last ? packet_bytes - part * piece : piece,
				.flags = write_flag | (last ? 0 : VRING_DESC_F_NEXT),
				.next = last ? 0 : head + part + 1,
			};
		}
		vq->free_heads[vq->free_count++] = head;
	}
}

struct virtqueue make_virtqueue(unsigned index, const char *name, const struct memory *memory,
				const struct options *options, enum buffer_use use,
				unsigned packet_bytes)
{
	const struct ring_memory *ring = &memory->rings[index];
	struct virtqueue vq = {
		.index = index,
		.name = name,
		.num = options->num,
		.desc = (struct vring_desc *)ring->desc.start,
		.avail = (struct vring_avail *)ring->avail.start,
		.used = (struct vring_used *)ring->used.start,
		.buffers = memory->buffers[index].start,
		.chain = options->chain,
		.event_idx = options->event_idx,
		.kick = make_eventfd(),
		.call = make_eventfd(),
		.error = make_eventfd(),
		.free_heads = calloc(options->num, sizeof(uint16_t)),
	};
	if (vq.free_heads == NULL)
		fail(EXIT_HOST, "no memory");
	write_descriptors(&vq, memory, use, packet_bytes);
	return vq;
}

char *virtqueue_buffer(struct virtqueue *vq, uint16_t head)
{
	return vq->buffers + (size_t)head * BUFFER_BYTES;
}

uint16_t virtqueue_offer(struct virtqueue *vq)
{
	uint16_t head = vq->free_heads[--vq->free_count];
	vq->avail->ring[vq->avail_idx % vq->num] = head;
	vq->avail_idx++;
	vq->heads_available++;
	return head;
}

static bool wants_kick(struct virtqueue *vq, uint16_t before)
{
	if (!vq->event_idx)
		return !(__atomic_load_n(&vq->used->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY);
	/* avail_event follows the used ring. */
	uint16_t *event = (uint16_t *)&vq->used->ring[vq->num];
	return vring_need_event(__atomic_load_n(event, __ATOMIC_RELAXED), vq->avail_idx, before);
}

void virtqueue_publish(struct virtqueue *vq)
{
	uint16_t before = vq->published;
	if (vq->avail_idx == before)
		return;
	__atomic_store_n(&vq->avail->idx, vq->avail_idx, __ATOMIC_RELEASE);
	vq->published = vq->avail_idx;
	/* The index must be seen before we look whether the device sleeps. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (wants_kick(vq, before))
		virtqueue_kick(vq);
}

void virtqueue_kick(struct virtqueue *vq)
{
	uint64_t one = 1;
	if (write(vq->kick, &one, sizeof one) == sizeof one)
		__atomic_fetch_add(&vq->kicks, 1, __ATOMIC_RELAXED);
}

unsigned virtqueue_reap(struct virtqueue *vq)
{
	uint16_t idx = __atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE);
	unsigned taken = 0;
	for (; vq->used_idx != idx; vq->used_idx++, taken++)
		vq->free_heads[vq->free_count++] = vq->used->ring[vq->used_idx % vq->num].id;
	vq->entries_used += taken;
	if (vq->event_idx) {
		/* used_event follows the avail ring: call us at the next entry. */
		__atomic_store_n(&vq->avail->ring[vq->num], vq->used_idx, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	return taken;
}

void virtqueue_wait(struct virtqueue *vq)
{
	struct pollfd call = {vq->call, POLLIN, 0};
	/* What comes without a call is seen a little later. */
	poll(&call, 1, 20);
	virtqueue_take_events(vq);
}

static uint64_t take_count(int fd)
{
	uint64_t count;
	return read(fd, &count, sizeof count) == sizeof count ? count : 0;
}

void virtqueue_take_events(struct virtqueue *vq)
{
	vq->calls += take_count(vq->call);
	vq->errors += take_count(vq->error);
}
