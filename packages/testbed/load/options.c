#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disturb.h"
#include "fail.h"

static const char HELP[] =
	"Drives the rings of a vhost device and disturbs their memory. Prints one JSON object.\n"
	"\n"
	"  --vsock             drive /dev/vhost-vsock; default: /dev/vhost-net with a TAP device\n"
	"  --num N             ring entries, a power of two from 2 to 32768 (256)\n"
	"  --batch N           most packets of a round and direction (64)\n"
	"  --chain N           descriptors per buffer, 1 to 8 (1)\n"
	"  --event-idx         notify by event index\n"
	"  --dirty-log         log writes to guest memory (VHOST_F_LOG_ALL)\n"
	"  --log-unwritable    the same, into a log that cannot be written: all of it fails\n"
	"  --iotlb             translate by the device IOTLB\n"
	"  --iotlb-drops N     the same, and take all translations back so often a second\n"
	"  --busy-poll US      let vhost poll a ring that ran dry so long, 0: not at all (0)\n"
	"  --huge              begin in a huge page; default: in 4 KiB pages\n"
	"  --kvm-vm            make a KVM VM too: its MMU notifier watches the same memory\n"
	"  --packets N         packets per direction\n"
	"  --seconds N         end after so long (5 where --packets is not given)\n"
	"  --seed N            of all that is random (1)\n"
	"  --disturb KINDS     kinds, comma-separated, or all, or none (all)\n"
	"  --between N         one disturbance after every N rounds, 0: none (16)\n"
	"  --beside N          N disturbances a second from threads of their own, 0: none (0)\n"
	"  --threads N         threads that disturb beside the rounds (1)\n"
	"  --name TEXT         name of the process, 15 bytes at most (load)\n"
	"  --wait-for FILE     set up, say 'load: ready' on stderr, and wait until this file exists\n"
	"\n"
	"Kinds: ";

static unsigned long long number(const char *option, const char *text, unsigned long long least,
				 unsigned long long most)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < least || value > most)
		fail(EXIT_USAGE, "--%s takes a number from %llu to %llu, not \"%s\"", option, least, most,
		     text);
	return value;
}

static double decimal(const char *option, const char *text)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end != '\0' || !(value > 0 && value <= 86400))
		fail(EXIT_USAGE, "--%s takes seconds up to a day, not \"%s\"", option, text);
	return value;
}

static uint32_t kinds_of(const char *list)
{
	if (strcmp(list, "all") == 0)
		return (1u << disturbance_count) - 1;
	if (strcmp(list, "none") == 0)
		return 0;
	uint32_t kinds = 0;
	char *copy = strdup(list), *rest = copy;
	for (char *name; (name = strsep(&rest, ",")) != NULL;) {
		unsigned kind = 0;
		while (kind < disturbance_count && strcmp(name, disturbances[kind].name) != 0)
			kind++;
		if (kind == disturbance_count)
			fail(EXIT_USAGE, "no disturbance is called \"%s\": see --help", name);
		kinds |= 1u << kind;
	}
	free(copy);
	return kinds;
}

static _Noreturn void help(void)
{
	fputs(HELP, stdout);
	for (unsigned kind = 0; kind < disturbance_count; kind++)
		printf("%s%s", kind == 0 ? "" : ", ", disturbances[kind].name);
	putchar('\n');
	exit(EXIT_DONE);
}

enum { VSOCK = 1, NUM, BATCH, CHAIN, EVENT_IDX, DIRTY_LOG, LOG_UNWRITABLE, IOTLB,
       IOTLB_DROPS, BUSY_POLL, HUGE, KVM_VM, PACKETS, SECONDS,
       SEED, DISTURB, BETWEEN, BESIDE, THREADS, NAME, WAIT_FOR, HELP_WANTED };

static const struct option LONG[] = {
	{"vsock", no_argument, NULL, VSOCK},
	{"num", required_argument, NULL, NUM},
	{"batch", required_argument, NULL, BATCH},
	{"chain", required_argument, NULL, CHAIN},
	{"event-idx", no_argument, NULL, EVENT_IDX},
	{"dirty-log", no_argument, NULL, DIRTY_LOG},
	{"log-unwritable", no_argument, NULL, LOG_UNWRITABLE},
	{"iotlb", no_argument, NULL, IOTLB},
	{"iotlb-drops", required_argument, NULL, IOTLB_DROPS},
	{"busy-poll", required_argument, NULL, BUSY_POLL},
	{"huge", no_argument, NULL, HUGE},
	{"kvm-vm", no_argument, NULL, KVM_VM},
	{"packets", required_argument, NULL, PACKETS},
	{"seconds", required_argument, NULL, SECONDS},
	{"seed", required_argument, NULL, SEED},
	{"disturb", required_argument, NULL, DISTURB},
	{"between", required_argument, NULL, BETWEEN},
	{"beside", required_argument, NULL, BESIDE},
	{"threads", required_argument, NULL, THREADS},
	{"name", required_argument, NULL, NAME},
	{"wait-for", required_argument, NULL, WAIT_FOR},
	{"help", no_argument, NULL, HELP_WANTED},
	{NULL, 0, NULL, 0},
};

static void take(struct options *o, int option, const char *name, const char *value)
{
	switch (option) {
	case VSOCK: o->vsock = true; break;
	case NUM: o->num = number(name, value, 2, 32768); break;
	case BATCH: o->batch = number(name, value, 1, 32768); break;
	case CHAIN: o->chain = number(name, value, 1, 8); break;
	case EVENT_IDX: o->event_idx = true; break;
	case DIRTY_LOG: o->dirty_log = true; break;
	case LOG_UNWRITABLE: o->dirty_log = o->log_unwritable = true; break;
	case IOTLB: o->iotlb = true; break;
	case IOTLB_DROPS:
		o->iotlb = true;
		o->iotlb_drops = number(name, value, 1, 1000);
		break;
	case BUSY_POLL: o->busy_poll = number(name, value, 0, 1000000); break;
	case HUGE: o->huge = true; break;
	case KVM_VM: o->kvm_vm = true; break;
	case PACKETS: o->packets = number(name, value, 1, 1ull << 40); break;
	case SECONDS: o->seconds = decimal(name, value); break;
	case SEED: o->seed = number(name, value, 0, (1ull << 53) - 1); break;
	case DISTURB: o->kinds = kinds_of(value); break;
	case BETWEEN: o->between = number(name, value, 0, 1000000); break;
	case BESIDE: o->beside = number(name, value, 0, 100000); break;
	case THREADS: o->threads = number(name, value, 1, 16); break;
	case NAME: o->name = value; break;
	case WAIT_FOR: o->wait_for = value; break;
	case HELP_WANTED: help();
	default: fail(EXIT_USAGE, "see --help");
	}
}

struct options parse_options(int argc, char **argv)
{
	struct options o = {
		.num = 256, .batch = 64, .chain = 1, .seed = 1, .between = 16, .threads = 1,
		.name = "load",
	};
	o.kinds = kinds_of("all");
	for (int option, at = 0; (option = getopt_long(argc, argv, "", LONG, &at)) != -1;)
		take(&o, option, LONG[at].name, optarg);
	if (optind < argc)
		fail(EXIT_USAGE, "\"%s\" is no option: see --help", argv[optind]);
	if ((o.num & (o.num - 1)) != 0)
		fail(EXIT_USAGE, "--num takes a power of two, not %u", o.num);
	if (o.chain > o.num)
		fail(EXIT_USAGE, "a ring of %u entries has no room for a chain of %u", o.num, o.chain);
	if (o.packets == 0 && o.seconds == 0)
		o.seconds = 5;
	if (o.batch > o.num / o.chain)
		o.batch = o.num / o.chain;
	return o;
}
