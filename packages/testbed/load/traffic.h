/* Drives packets through both queues, in rounds that end when all of a round have come back. */
#pragma once

#include "device.h"
#include "disturb.h"
#include "options.h"

struct traffic {
	uint64_t rounds;
	uint64_t packets[QUEUES];
	double seconds;
};

/* Returns when the packets are through or the time is over. Ends the program when a queue stalls. */
struct traffic run_traffic(struct device *, struct disturber *, const struct options *);
