/*
 * The memory that the device sees ("guest memory"): one mapping that begins on a huge page.
 *
 *   spare | rx: edge desc avail used edge | tx: edge desc avail used edge | buffers | twins | far
 *
 * Areas begin on a page. An edge is a page that no area uses: what happens to it touches a ring and
 * does not reach into it. Twins are as many pages as the rings, to hold the same bytes for KSM. Spare
 * shares the rings' huge page; far does not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE = 4096, HUGE_PAGE = 2 << 20, BUFFER_BYTES = 256, QUEUES = 2 };

struct span {
	char *start;
	size_t bytes;
};

struct ring_memory {
	struct span edge_before, desc, avail, used, edge_after;
};

struct memory {
	struct span all;
	struct span spare;
	struct ring_memory rings[QUEUES];
	struct span ring_pages; /* from the first desc to the last used */
	struct span buffers[QUEUES];
	struct span twins;
	struct span far;
};

/* The device's address of the first byte. Small, as the dirty log has a bit for every page below. */
static const uint64_t GUEST_BASE = 0x100000;

/* Maps and touches it. Ends the program where there is not enough. */
struct memory map_memory(unsigned num, bool huge);

static inline uint64_t guest_address(const struct memory *memory, const void *at)
{
	return GUEST_BASE + ((const char *)at - memory->all.start);
}
