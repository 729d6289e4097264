#include "memory.h"

#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/mman.h>

#include "fail.h"

static struct span take(char **at, size_t bytes, size_t alignment)
{
	size_t past = (size_t)*at % alignment;
	char *start = past == 0 ? *at : *at + (alignment - past);
	*at = start + bytes;
	return (struct span){start, bytes};
}

static struct ring_memory lay_ring(char **at, unsigned num)
{
	/* Both index areas end with the field of VIRTIO_RING_F_EVENT_IDX. */
	size_t avail = sizeof(struct vring_avail) + (num + 1) * sizeof(__virtio16);
	size_t used = sizeof(struct vring_used) + num * sizeof(struct vring_used_elem) +
		      sizeof(__virtio16);
	return (struct ring_memory){
		.edge_before = take(at, PAGE, PAGE),
		.desc = take(at, num * sizeof(struct vring_desc), PAGE),
		.avail = take(at, avail, PAGE),
		.used = take(at, used, PAGE),
		.edge_after = take(at, PAGE, PAGE),
	};
}

/* Lays everything out from an address on; where nothing is mapped yet it only measures. */
static struct memory lay_out(char *start, unsigned num)
{
	struct memory m;
	char *at = start;
	m.spare = take(&at, PAGE, PAGE);
	for (int queue = 0; queue < QUEUES; queue++)
		m.rings[queue] = lay_ring(&at, num);
	m.ring_pages.start = m.rings[0].desc.start;
	m.ring_pages.bytes = m.rings[QUEUES - 1].edge_after.start - m.ring_pages.start;
	for (int queue = 0; queue < QUEUES; queue++)
		m.buffers[queue] = take(&at, (size_t)num * BUFFER_BYTES, PAGE);
	m.twins = take(&at, m.ring_pages.bytes, PAGE);
	m.far = take(&at, 16 * PAGE, HUGE_PAGE);
	m.all = take(&at, 0, HUGE_PAGE);
	m.all = (struct span){start, at - start};
	return m;
}

struct memory map_memory(unsigned num, bool huge)
{
	size_t bytes = lay_out((char *)HUGE_PAGE, num).all.bytes;
	char *mapped = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped == MAP_FAILED)
		fail(EXIT_HOST, "cannot map %zu bytes", bytes);
	struct memory memory = lay_out(take(&mapped, 0, HUGE_PAGE).start, num);
	/* What the host does by default is no choice of ours. */
	madvise(memory.all.start, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(memory.all.start, 0, bytes);
	/* From here on, huge pages may come, and go. */
	madvise(memory.all.start, bytes, MADV_HUGEPAGE);
	return memory;
}
