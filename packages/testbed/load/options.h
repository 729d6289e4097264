/* What the command line asks for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct options {
	bool vsock; /* drive /dev/vhost-vsock instead of /dev/vhost-net */
	unsigned num; /* ring entries, a power of two */
	unsigned batch; /* most packets of a round, per direction */
	unsigned chain; /* descriptors of each buffer */
	bool event_idx;
	bool dirty_log;
	bool log_unwritable; /* the dirty log cannot be written once it is given to vhost */
	bool iotlb;
	unsigned iotlb_drops; /* times a second that all translations are taken back */
	unsigned busy_poll; /* us that vhost polls a ring that ran dry; 0: not at all */
	bool huge; /* rings and buffers begin in a huge page */
	bool kvm_vm;
	uint64_t packets; /* per direction; 0: as many as the time allows */
	double seconds; /* 0: as long as the packets take */
	uint64_t seed;
	uint32_t kinds; /* bit set of disturbances, by their place in the table */
	unsigned between; /* a disturbance after so many rounds; 0: none */
	unsigned beside; /* disturbances a second, per thread; 0: none */
	unsigned threads; /* that disturb beside the rounds */
	const char *name; /* of the process */
	const char *wait_for; /* a file whose appearance starts the traffic; NULL: at once */
};

/* Ends the program on wrong usage, and after --help. */
struct options parse_options(int argc, char **argv);
