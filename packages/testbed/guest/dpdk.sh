#!/bin/sh
# DPDK's testpmd on virtio-user, vhost-net and a TAP device: no huge pages, no PCI device.
#
#   dpdk.sh txonly|rxonly SECONDS RING GO [LIBRARY]
#
# Says "dpdk: ready" on stderr when the rings are set up, starts to forward when the file GO exists,
# and stops after SECONDS. LIBRARY is preloaded into testpmd.
mode=$1 seconds=$2 ring=$3 go=$4 library=$5
tap=dpdk0

send_into_tap() {
	# The kernel's own packet generator, from the side of the stack: that is rx of the device.
	modprobe pktgen || exit 3
	echo "add_device $tap" >/proc/net/pktgen/kpktgend_0
	for setting in 'count 0' 'pkt_size 64' 'delay 20000' 'dst_mac 02:00:00:00:00:01'; do
		echo "$setting" >"/proc/net/pktgen/$tap"
	done
	echo start >/proc/net/pktgen/pgctrl
}

commands() {
	until ip link show "$tap" >/dev/null 2>&1; do sleep 0.05; done
	# The stack is to send nothing of its own.
	echo 1 >"/proc/sys/net/ipv6/conf/$tap/disable_ipv6"
	ip link set "$tap" up
	until ip link show "$tap" | grep -q LOWER_UP; do sleep 0.05; done
	echo 'dpdk: ready' >&2
	until [ -e "$go" ]; do sleep 0.05; done
	echo start
	if [ "$mode" = rxonly ]; then send_into_tap >&2 & fi
	sleep "$seconds"
	if [ "$mode" = rxonly ]; then echo stop >/proc/net/pktgen/pgctrl; fi
	echo stop
	echo quit
}

# One thread for commands and one that forwards, wherever the kernel runs them.
commands | LD_PRELOAD=$library dpdk-testpmd --lcores '0@0,1@0' --no-huge --no-pci -m 128 \
	--vdev="net_virtio_user0,path=/dev/vhost-net,iface=$tap,queue_size=$ring" \
	-- -i --forward-mode="$mode" --total-num-mbufs=2048
