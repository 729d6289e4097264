/* A load for a vhost device that also disturbs the memory of its own rings. See options.c. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "device.h"
#include "disturb.h"
#include "fail.h"
#include "iotlb.h"
#include "memory.h"
#include "options.h"
#include "report.h"
#include "traffic.h"

/* KVM registers an MMU notifier with the address space of whoever makes a VM, and keeps it. */
static void make_kvm_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0 || ioctl(kvm, KVM_CREATE_VM, 0) < 0)
		fail(EXIT_HOST, "cannot make a KVM VM (modprobe kvm_amd)");
}

/* Whoever waits for us to be ready waits for this line. */
static void wait_for(const char *path)
{
	fputs("load: ready\n", stderr);
	while (access(path, F_OK) != 0)
		usleep(20000);
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	prctl(PR_SET_NAME, options.name);
	if (options.kvm_vm)
		make_kvm_vm();
	struct memory memory = map_memory(options.num, options.huge);
	struct device device =
		options.vsock ? open_vsock(&options, &memory) : open_net(&options, &memory);
	struct disturber disturber = {
		.device = &device,
		.kinds = options.kinds,
		.per_second = options.beside,
		.seed = options.seed,
		.random = {options.seed ^ 0x5eed},
	};
	for (unsigned queue = 0; queue < QUEUES; queue++)
		device.start(&device, queue);
	if (options.wait_for != NULL)
		wait_for(options.wait_for);
	start_report(&device);
	if (options.iotlb_drops > 0)
		start_iotlb_drops(&device, options.iotlb_drops);

	start_disturbing(&disturber, options.threads);
	struct traffic traffic = run_traffic(&device, &disturber, &options);
	stop_disturbing(&disturber);
	print_report(&device, &disturber, &traffic, &options);
	return EXIT_DONE;
}
