/* /dev/vhost-net with a TAP device behind it. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"
#include "fail.h"

/* "Local experimental": no part of the kernel takes such frames. */
static const uint16_t FRAME_TYPE = 0x88b5;

enum {
	/* Of VIRTIO_F_VERSION_1. */
	HEADER_BYTES = sizeof(struct virtio_net_hdr_mrg_rxbuf),
	FRAME_BYTES = 60,
};

static int open_tap(char name[IFNAMSIZ])
{
	int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tap < 0)
		fail(EXIT_HOST, "cannot open /dev/net/tun (modprobe tun)");
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	strcpy(request.ifr_name, "load%d");
	must_ioctl(tap, TUNSETIFF, &request, "TUNSETIFF");
	must_ioctl(tap, TUNSETVNETHDRSZ, &(int){HEADER_BYTES}, "TUNSETVNETHDRSZ");
	must_ioctl(tap, TUNSETSNDBUF, &(int){INT_MAX}, "TUNSETSNDBUF");
	strcpy(name, request.ifr_name);
	return tap;
}

/* The kernel would send frames of its own, and rx would get more than we count. */
static void silence(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	FILE *file = fopen(path, "w");
	if (file == NULL)
		return; /* no IPv6 here */
	fputs("1\n", file);
	fclose(file);
}

/* Brings the interface up and returns a socket that sends out of it, which is into rx. */
static int open_injector(const char *name)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail(EXIT_HOST, "cannot open a packet socket");
	silence(name);
	struct ifreq request = {.ifr_flags = IFF_UP | IFF_NOARP};
	strcpy(request.ifr_name, name);
	must_ioctl(fd, SIOCSIFFLAGS, &request, "SIOCSIFFLAGS");
	must_ioctl(fd, SIOCGIFINDEX, &request, "SIOCGIFINDEX");
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = request.ifr_ifindex,
	};
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		fail(EXIT_HOST, "cannot bind to %s", name);
	return fd;
}

static void set_backend(struct device *device, unsigned queue, int backend)
{
	must_ioctl(device->fd, VHOST_NET_SET_BACKEND, &(struct vhost_vring_file){queue, backend},
		   "VHOST_NET_SET_BACKEND");
}

static void start(struct device *device, unsigned queue)
{
	set_backend(device, queue, device->backend);
}

static void stop(struct device *device, unsigned queue)
{
	set_backend(device, queue, -1);
}

static void write_frame(char *at, uint64_t number)
{
	struct ether_header head = {
		.ether_dhost = {2, 0, 0, 0, 0, 1},
		.ether_shost = {2, 0, 0, 0, 0, 2},
		.ether_type = htons(FRAME_TYPE),
	};
	memset(at, 0, FRAME_BYTES);
	memcpy(at, &head, sizeof head);
	memcpy(at + sizeof head, &number, sizeof number);
}

static void write_packet(struct device *device, char *buffer)
{
	memset(buffer, 0, HEADER_BYTES);
	write_frame(buffer + HEADER_BYTES, device->frames++);
}

static void cause_rx(struct device *device, unsigned packets)
{
	char frame[FRAME_BYTES];
	write_frame(frame, 0);
	for (unsigned i = 0; i < packets; i++)
		if (send(device->injector, frame, sizeof frame, 0) != sizeof frame)
			fail(EXIT_HOST, "cannot send a frame to rx");
}

struct device open_net(const struct options *options, const struct memory *memory)
{
	struct device device = {
		.kind = "vhost-net",
		.memory = memory,
		.packet_bytes = HEADER_BYTES + FRAME_BYTES,
		.start = start,
		.stop = stop,
		.write_packet = write_packet,
		.cause_rx = cause_rx,
	};
	char name[IFNAMSIZ];
	device.backend = open_tap(name);
	device.injector = open_injector(name);
	device.fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (device.fd < 0)
		fail(EXIT_HOST, "cannot open /dev/vhost-net (modprobe vhost_net)");
	device.queues[RX] =
		make_virtqueue(RX, "rx", memory, options, DEVICE_WRITES, device.packet_bytes);
	device.queues[TX] =
		make_virtqueue(TX, "tx", memory, options, DEVICE_READS, device.packet_bytes);
	setup_vhost(&device, options, 0);
	return device;
}
