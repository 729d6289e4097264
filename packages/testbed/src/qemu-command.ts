/** The command line of the virtual machine. Pure. */

export interface Machine {
  readonly cpus: 1 | 2;
  readonly memoryMiB: number;
  /** Of the kernel in the guest. */
  readonly preempt: 'voluntary' | 'full';
  /** How time passes in the guest: as here, or a nanosecond with each instruction that it executes. */
  readonly time: 'real' | 'instructions';
  readonly kernelImage: string;
  readonly initramfs: string;
  /** Folders of this machine, by the tag under which guest/init mounts them. */
  readonly shares: Readonly<
    Record<string, { readonly path: string; readonly access: 'read-only' | 'read-write' }>
  >;
}

/** File descriptors of QEMU that are sockets to us. */
export const CONSOLE_FD = 3;
export const AGENT_FD = 4;

/**
 * Program and arguments. QEMU is to die with the process that starts it, whatever ends that, and to
 * leave the CPUs to whoever wants them.
 */
export function qemuCommand(machine: Machine): string[] {
  return [
    ['setpriv', '--pdeathsig', 'KILL', '--'],
    ['nice', '-n', '10'],
    ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    // /dev/kvm may exist and not work. Without 5-level page tables emulated walks are shorter.
    ['-machine', 'q35', '-cpu', 'max,la57=off'],
    passingTime(machine),
    ['-smp', String(machine.cpus), '-m', `${machine.memoryMiB}M`],
    numaNodes(machine),
    ['-kernel', machine.kernelImage, '-initrd', machine.initramfs],
    ['-append', kernelParameters(machine)],
    ['-chardev', `socket,id=console,fd=${CONSOLE_FD}`, '-serial', 'chardev:console'],
    ['-chardev', `socket,id=agent,fd=${AGENT_FD}`, '-device', 'virtio-serial-pci'],
    ['-device', 'virtserialport,chardev=agent,name=vhostscope.agent'],
    ['-device', 'virtio-rng-pci'],
    Object.entries(machine.shares).flatMap(([tag, { path, access }]) => [
      '-virtfs',
      `local,mount_tag=${tag},path=${escaped(path)},security_model=none,multidevs=remap` +
        (access === 'read-only' ? ',readonly=on' : ''),
    ]),
  ].flat();
}

/**
 * Where time is counted in instructions, what this machine does besides changes nothing of what the guest measures
 * while its CPU is busy, and all CPUs take turns on one thread, so they share the time that passes. A CPU without work
 * waits in real time: were it to skip to its next timer, time limits would pass while it waits for this machine's files.
 */
function passingTime({ time }: Machine): string[] {
  return time === 'real'
    ? ['-accel', 'tcg,thread=multi']
    : ['-accel', 'tcg,thread=single', '-icount', 'shift=0'];
}

/** Two CPUs are two nodes, so that pages can move. */
function numaNodes({ cpus, memoryMiB }: Machine): string[] {
  if (cpus === 1) return [];
  return [0, 1].flatMap((node) => [
    '-object',
    `memory-backend-ram,id=node${node},size=${memoryMiB / cpus}M`,
    '-numa',
    `node,nodeid=${node},cpus=${node},memdev=node${node}`,
  ]);
}

function kernelParameters({ preempt }: Machine): string {
  return `console=ttyS0 loglevel=4 panic=-1 preempt=${preempt} random.trust_cpu=1`;
}

/** A comma ends an option's value; two are one. */
function escaped(path: string): string {
  return path.replaceAll(',', ',,');
}
