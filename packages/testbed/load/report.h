/* The result, as one JSON object on stdout. */
#pragma once

#include "device.h"
#include "disturb.h"
#include "options.h"
#include "traffic.h"

void print_report(const struct device *, const struct disturber *, const struct traffic *,
		  const struct options *);
