/* Disturbs the memory of the rings: between rounds, or beside them from threads of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "options.h"
#include "random.h"

/* A kind. `act` is told whether the device may be at work meanwhile, and says whether it succeeded. */
struct disturbance {
	const char *name;
	bool (*act)(struct device *, struct random_stream *, bool beside);
};

extern const struct disturbance disturbances[];
extern const unsigned disturbance_count;

enum { MAX_KINDS = 32 };

struct disturber {
	struct device *device;
	uint32_t kinds;
	unsigned per_second; /* of each thread */
	uint64_t seed;
	struct random_stream random; /* of those between rounds */
	uint64_t done[MAX_KINDS], failed[MAX_KINDS];
};

/* One disturbance of a random kind, by the thread that drives the rings. */
void disturb_between(struct disturber *);

/* Starts threads that disturb until stop_disturbing, which waits for them. */
void start_disturbing(struct disturber *, unsigned threads);
void stop_disturbing(struct disturber *);
