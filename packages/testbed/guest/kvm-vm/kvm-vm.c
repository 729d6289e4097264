/*
 * Preloaded into a program that knows nothing of it: makes a KVM VM before main, so that the address
 * space has an MMU notifier for as long as the program runs.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

__attribute__((constructor)) static void make_kvm_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0 || ioctl(kvm, KVM_CREATE_VM, 0) < 0) {
		perror("cannot make a KVM VM");
		exit(3);
	}
}
