/* Fills the device IOTLB, and answers its misses. */
#pragma once

#include "device.h"

/*
 * Gives the device the pages that it writes when a queue starts, where it can wait for none, and
 * starts a thread that gives it all others when it asks for them.
 */
void start_iotlb(struct device *);

/* Takes all translations back so often a second, from a thread of its own. */
void start_iotlb_drops(const struct device *, unsigned per_second);

/* Messages so far. */
struct iotlb_messages {
	uint64_t misses; /* read: vhost asked for a translation */
	uint64_t updates; /* written: a page each */
	uint64_t invalidations; /* written: of all memory */
};
struct iotlb_messages count_iotlb_messages(void);
