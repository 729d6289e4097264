/*
 * A vhost device and its two queues: 0 is rx, what it writes to us; 1 is tx, what we write to it. In
 * vhost-net and in vhost-vsock alike.
 */
#pragma once

#include <stdint.h>

#include "memory.h"
#include "options.h"
#include "virtqueue.h"

enum { RX = 0, TX = 1 };

struct device {
	int fd;
	uint64_t features;
	const struct memory *memory;
	struct virtqueue queues[QUEUES];
	struct span dirty_log; /* nothing where it is off */
	unsigned packet_bytes;

	/* What the kinds of devices differ in. */
	const char *kind;
	int backend; /* the TAP device of vhost-net */
	int injector; /* the socket by which packets get to rx of vhost-net */
	uint64_t frames; /* written to tx since the start */
	void (*start)(struct device *, unsigned queue);
	void (*stop)(struct device *, unsigned queue);
	/* Fills a buffer of tx. */
	void (*write_packet)(struct device *, char *buffer);
	/* Sees to it that the device has so many packets for rx, while as many go through tx. */
	void (*cause_rx)(struct device *, unsigned packets);
};

struct device open_net(const struct options *, const struct memory *);
struct device open_vsock(const struct options *, const struct memory *);

/* The part that all vhost devices have in common: owner, features, memory, rings, eventfds. */
void setup_vhost(struct device *, const struct options *, uint64_t extra_features);

/* Sets size, base and addresses of a queue that is stopped. */
void setup_ring(struct device *, unsigned queue, unsigned base);

/* Stops a queue, sets its ring up again as it was, and lets it go on. Its driver need not know. */
void set_up_again(struct device *, unsigned queue);

/* ioctl that ends the program when it fails. */
void must_ioctl(int fd, unsigned long request, const void *argument, const char *what);
