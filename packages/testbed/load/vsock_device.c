/*
 * /dev/vhost-vsock without a guest. Each packet asks for a connection to a port where nobody listens;
 * the host answers each with a reset, which arrives in rx.
 */
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/virtio_vsock.h>
#include <linux/vm_sockets.h>
#include <string.h>

#include "device.h"
#include "fail.h"

enum { GUEST_CID = 1234, CLOSED_PORT = 9 };

/* One switch for both queues: the first to start and the first to stop turn it. */
static void set_running(struct device *device, int running)
{
	must_ioctl(device->fd, VHOST_VSOCK_SET_RUNNING, &running, "VHOST_VSOCK_SET_RUNNING");
}

static void start(struct device *device, unsigned queue)
{
	(void)queue;
	set_running(device, 1);
}

static void stop(struct device *device, unsigned queue)
{
	(void)queue;
	set_running(device, 0);
}

static void write_packet(struct device *device, char *buffer)
{
	struct virtio_vsock_hdr header = {
		.src_cid = GUEST_CID,
		.dst_cid = VMADDR_CID_HOST,
		.src_port = 1024 + device->frames++ % 60000,
		.dst_port = CLOSED_PORT,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = VIRTIO_VSOCK_OP_REQUEST,
		.buf_alloc = 65536,
	};
	memcpy(buffer, &header, sizeof header);
}

static void cause_rx(struct device *device, unsigned packets)
{
	/* Each packet of tx does. */
	(void)device;
	(void)packets;
}

struct device open_vsock(const struct options *options, const struct memory *memory)
{
	struct device device = {
		.kind = "vhost-vsock",
		.memory = memory,
		.packet_bytes = sizeof(struct virtio_vsock_hdr),
		.start = start,
		.stop = stop,
		.write_packet = write_packet,
		.cause_rx = cause_rx,
	};
	device.fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
	if (device.fd < 0)
		fail(EXIT_HOST, "cannot open /dev/vhost-vsock (modprobe vhost_vsock)");
	device.queues[RX] =
		make_virtqueue(RX, "rx", memory, options, DEVICE_WRITES, device.packet_bytes);
	device.queues[TX] =
		make_virtqueue(TX, "tx", memory, options, DEVICE_READS, device.packet_bytes);
	setup_vhost(&device, options, 0);
	must_ioctl(device.fd, VHOST_VSOCK_SET_GUEST_CID, &(uint64_t){GUEST_CID},
		   "VHOST_VSOCK_SET_GUEST_CID");
	return device;
}
