/* Fills the device IOTLB, and answers its misses. */
#pragma once

#include "device.h"

/*
 * Gives the device the pages that it writes when a queue starts, where it can wait for none, and
 * starts a thread that gives it all others when it asks for them.
 */
void start_iotlb(struct device *);
