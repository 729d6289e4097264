/* The driver's side of a split virtqueue (virtio 1.2, 2.7). */
#pragma once

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "options.h"

struct virtqueue {
	unsigned index; /* in the device */
	const char *name;
	unsigned num;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	char *buffers;
	unsigned chain; /* descriptors per buffer */
	bool event_idx;
	int kick, call, error; /* eventfds */

	uint16_t *free_heads; /* a stack */
	unsigned free_count;
	uint16_t avail_idx; /* what avail->idx is, or is about to become */
	uint16_t published; /* what avail->idx is */
	uint16_t used_idx; /* entries of the used ring that were taken */

	/* Counted since the start. */
	uint64_t heads_available, entries_used, kicks, calls, errors;
};

/* Who writes into the buffers. */
enum buffer_use { DEVICE_READS, DEVICE_WRITES };

struct virtqueue make_virtqueue(unsigned index, const char *name, const struct memory *memory,
				const struct options *options, enum buffer_use use,
				unsigned packet_bytes);

/* The bytes of a head's buffer. */
char *virtqueue_buffer(struct virtqueue *vq, uint16_t head);

/* Puts a free head into the avail ring; the device sees it after the next publish. Returns it. */
uint16_t virtqueue_offer(struct virtqueue *vq);

/* Makes visible what was offered, and kicks the device if it wants to hear of it. */
void virtqueue_publish(struct virtqueue *vq);

/* Kicks the device in any case. */
void virtqueue_kick(struct virtqueue *vq);

/* Takes back what the device has used. Returns how many. */
unsigned virtqueue_reap(struct virtqueue *vq);

/* Waits until the device calls, or a while. */
void virtqueue_wait(struct virtqueue *vq);

/* Adds the calls and errors that the device has reported by now to what is counted. */
void virtqueue_take_events(struct virtqueue *vq);
