#include "traffic.h"

#include <errno.h>
#include <time.h>

#include "fail.h"
#include "random.h"

/* After which a queue that gives nothing back is said to have stalled. */
static const double PATIENCE_SECONDS = 30;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Gives the device all free buffers of rx, as a driver does. */
static void refill_rx(struct virtqueue *rx)
{
	while (rx->free_count > 0)
		virtqueue_offer(rx);
	virtqueue_publish(rx);
}

static void wait_for_packets(struct device *device, unsigned queue, unsigned packets)
{
	struct virtqueue *vq = &device->queues[queue];
	double deadline = now() + PATIENCE_SECONDS;
	for (unsigned back = 0; (back += virtqueue_reap(vq)) < packets;) {
		if (now() > deadline) {
			errno = 0;
			fail(EXIT_STALLED, "%s stalled: %u of %u packets of a round came back", vq->name,
			     back, packets);
		}
		virtqueue_wait(vq);
	}
}

static void run_round(struct device *device, unsigned packets)
{
	struct virtqueue *tx = &device->queues[TX];
	refill_rx(&device->queues[RX]);
	for (unsigned i = 0; i < packets; i++)
		device->write_packet(device, virtqueue_buffer(tx, virtqueue_offer(tx)));
	device->cause_rx(device, packets);
	virtqueue_publish(tx);
	wait_for_packets(device, TX, packets);
	wait_for_packets(device, RX, packets);
}

struct traffic run_traffic(struct device *device, struct disturber *disturber,
			   const struct options *options)
{
	struct traffic traffic = {0};
	struct random_stream sizes = {options->seed};
	double start = now();
	double end = options->seconds > 0 ? start + options->seconds : 1e300;
	uint64_t left = options->packets > 0 ? options->packets : UINT64_MAX;
	while (left > 0 && now() < end) {
		unsigned packets = 1 + random_below(&sizes, options->batch);
		if (packets > left)
			packets = left;
		run_round(device, packets);
		left -= packets;
		traffic.rounds++;
		traffic.packets[RX] += packets;
		traffic.packets[TX] += packets;
		if (options->between > 0 && traffic.rounds % options->between == 0)
			disturb_between(disturber);
	}
	traffic.seconds = now() - start;
	for (unsigned queue = 0; queue < QUEUES; queue++)
		virtqueue_take_events(&device->queues[queue]);
	return traffic;
}
