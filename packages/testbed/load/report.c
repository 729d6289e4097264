#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "iotlb.h"

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

/* What there was before the traffic. */
static struct iotlb_messages before;

void start_report(struct device *device)
{
	before = count_iotlb_messages();
	/* Where it cannot be written nothing was. */
	for (size_t at = 0; at < device->dirty_log.bytes; at++)
		if (device->dirty_log.start[at] != 0)
			device->dirty_log.start[at] = 0;
}

static unsigned long long dirty_pages(const struct device *device)
{
	unsigned long long pages = 0;
	for (size_t at = 0; at < device->dirty_log.bytes; at++)
		pages += __builtin_popcount((unsigned char)device->dirty_log.start[at]);
	return pages;
}

static void print_queue(const struct virtqueue *vq)
{
	printf("{\"index\":%u,\"name\":\"%s\",\"num\":%u,\"desc\":\"%p\",\"avail\":\"%p\","
	       "\"used\":\"%p\",\"heads_available\":%" PRIu64 ",\"entries_used\":%" PRIu64
	       ",\"kicks\":%" PRIu64 ",\"calls\":%" PRIu64 ",\"errors\":%" PRIu64 "}",
	       vq->index, vq->name, vq->num, (void *)vq->desc, (void *)vq->avail, (void *)vq->used,
	       vq->heads_available, vq->entries_used, vq->kicks, vq->calls, vq->errors);
}

void print_report(const struct device *device, const struct disturber *disturber,
		  const struct traffic *traffic, const struct options *options)
{
	printf("{\"device\":\"%s\",\"pid\":%d,\"seed\":%" PRIu64 ",\"seconds\":%.6f,"
	       "\"features\":\"0x%" PRIx64 "\",\"chain\":%u,\"event_idx\":%s,\"dirty_log\":%s,"
	       "\"iotlb\":%s,\"kvm_vm\":%s,\"rounds\":%" PRIu64 ",\"packets\":{\"rx\":%" PRIu64
	       ",\"tx\":%" PRIu64 "},\"virtqueues\":[",
	       device->kind, getpid(), options->seed, traffic->seconds, device->features,
	       options->chain, truth(options->event_idx), truth(options->dirty_log),
	       truth(options->iotlb), truth(options->kvm_vm), traffic->rounds, traffic->packets[RX],
	       traffic->packets[TX]);
	for (unsigned queue = 0; queue < QUEUES; queue++) {
		if (queue > 0)
			putchar(',');
		print_queue(&device->queues[queue]);
	}
	struct iotlb_messages messages = count_iotlb_messages();
	printf("],\"iotlb_messages\":{\"misses\":%" PRIu64 ",\"updates\":%" PRIu64
	       ",\"invalidations\":%" PRIu64 "},\"dirty_pages\":%llu",
	       messages.misses - before.misses, messages.updates - before.updates,
	       messages.invalidations - before.invalidations, dirty_pages(device));
	printf(",\"disturbances\":{");
	for (unsigned kind = 0; kind < disturbance_count; kind++)
		printf("%s\"%s\":{\"done\":%" PRIu64 ",\"failed\":%" PRIu64 "}", kind == 0 ? "" : ",",
		       disturbances[kind].name, disturber->done[kind], disturber->failed[kind]);
	printf("}}\n");
	fflush(stdout);
}
