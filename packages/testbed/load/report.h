/* The result, as one JSON object on stdout. */
#pragma once

#include "device.h"
#include "disturb.h"
#include "options.h"
#include "traffic.h"

/* What the device does from here on is reported. */
void start_report(struct device *);

void print_report(const struct device *, const struct disturber *, const struct traffic *,
		  const struct options *);
