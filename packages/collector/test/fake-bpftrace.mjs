#!/usr/bin/env node
// Stands in for bpftrace in tests: prints events of the dialect as a real run would, counts what it
// "emits" in the kernel, loses some of it on request, holds lines back as bpftrace does until it gets
// round to them, and drops what it holds when it is interrupted.
//
// FAKE_BPFTRACE holds the scenario as JSON, see `Scenario` in fake-host.ts. What was emitted is
// written to `truth`, as JSON, when it ends or, with SIGKILL in mind, at every tick.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const {
  attachMs = 50,
  ready = 'stderr',
  cpus = 2,
  perTick = 5,
  holdMs = 30,
  loseEvery = 0,
  tellLost = false,
  silentCpu = -1,
  exitAfterMs = 0,
  exitCode = 0,
  stderr = '',
  extra = [],
  onInterrupt = 'end',
  header = true,
  devices = 0,
  churn = 0,
  stormAfterMs = Infinity,
  sleep,
  wantsCapability = -1,
  truth,
} = JSON.parse(process.env.FAKE_BPFTRACE ?? '{}');

const TICK_MS = 20;
const HEARTBEAT_TICKS = 5;
const bootOffset =
  BigInt(readFileSync('/proc/uptime', 'latin1').split(' ')[0].replace('.', '')) * 10_000_000n -
  process.hrtime.bigint();
const now = () => {
  const time = process.hrtime.bigint();
  const slept = sleep !== undefined && time >= BigInt(sleep.at) ? sleep.forMs : 0;
  return bootOffset + time + BigInt(slept) * 1_000_000n;
};

/** Lines about set-up that each CPU has emitted. */
const state = Array.from({ length: cpus }, () => 0);
/** Devices that are open, the oldest first; each at an address of its own. */
const open = [];
let opened = 0;

/** Lines not printed yet, by when they are due. */
const held = [];
/** Lines about ranges that each CPU has emitted. */
const ranges = Array.from({ length: cpus }, () => 0);
const rounds = Array.from({ length: cpus }, () => 0);
/** Times of the rounds that were emitted, by CPU; those lost are in `lost`. */
const emitted = Array.from({ length: cpus }, () => []);
let lost = 0;
let untold = 0;
let tick = 0;

const print = (text) => process.stdout.write(text);
const hold = (text) => held.push({ due: performance.now() + holdMs, text });

function tell(cpu, ...lines) {
  state[cpu] += lines.length;
  hold(lines.map((line) => `${line}\n`).join(''));
}

const addressOf = (device) => 0xffff_9000_0000_0000n + BigInt(device) * 0x10000n;
const virtqueuesOf = (device) =>
  [1n, 2n].map((place) => (addressOf(device) + place * 0x1000n).toString(16));

function openDevice() {
  const device = opened++;
  const cpu = device % cpus;
  const time = now();
  const dev = addressOf(device).toString(16);
  tell(cpu, `N ${time} ${cpu} ${dev} 1 0`);
  for (const [place, vq] of virtqueuesOf(device).entries())
    tell(
      cpu,
      `V ${time} ${cpu} ${vq} ${dev} ${1000 + device} ${place} 1`,
      ...[0, 1, 2].map((area) => `U ${time} ${cpu} ${vq} ${area} 7f00000${area}0000 4096 -`),
      `I ${time} ${cpu} ${vq} 0`,
    );
  open.push(device);
}

function closeDevice() {
  const device = open.shift();
  const cpu = device % cpus;
  const time = now();
  for (const vq of virtqueuesOf(device))
    tell(cpu, `X ${time} ${cpu} ${vq} - -`, `Z ${time} ${cpu} ${vq}`);
  tell(cpu, `N ${time} ${cpu} ${addressOf(device).toString(16)} 0 0`);
}

function changeDevices() {
  while (open.length < devices) openDevice();
  for (let i = 0; i < churn; i++) {
    closeDevice();
    openDevice();
  }
}

/** Ranges over a ring of the first device, five hundred a second. */
function emitStorm() {
  for (let i = 0; i < 10; i++) {
    for (const isStart of [1, 0])
      hold(`K ${now()} 0 1000 ${isStart} 7f0000000000 7f0000001000 2 1 77 - stormy\n`);
    ranges[0] += 2;
  }
}

function emit() {
  changeDevices();
  if (performance.now() - begunAt > stormAfterMs) emitStorm();
  for (let cpu = 0; cpu < cpus; cpu++) {
    for (let i = 0; i < perTick; i++) {
      rounds[cpu]++;
      const time = now();
      if (loseEvery > 0 && rounds[cpu] % loseEvery === 0) {
        lost++;
        untold++;
        continue;
      }
      emitted[cpu].push(String(time));
      hold(`M ${time} ${cpu} ffff8880000010${cpu}0\n`);
    }
    if (tellLost && untold > 0) {
      hold(`Lost ${untold} events\n`);
      untold = 0;
    }
    if (tick % HEARTBEAT_TICKS === 0 && cpu !== silentCpu)
      hold(`H ${now()} ${cpu} ${state[cpu]} ${rounds[cpu]} ${ranges[cpu]} 0 0 0\n`);
  }
  tick++;
  if (truth === undefined) return;
  // Read while this runs, and after it was killed.
  writeFileSync(`${truth}.part`, JSON.stringify({ emitted, lost, opened }));
  renameSync(`${truth}.part`, truth);
}

function printDue() {
  let due = '';
  while (held.length > 0 && held[0].due <= performance.now()) due += held.shift().text;
  if (due !== '') print(due);
}

let begunAt = Infinity;
let program = '';
process.stdin.setEncoding('utf8').on('data', (text) => (program += text));
process.stdin.on('end', () => {
  if (!program.includes('BEGIN')) {
    process.stderr.write('stdin:1:1-2: ERROR: syntax error, unexpected end of file, expecting {\n');
    process.exit(1);
  }
  begin();
});
process.stdout.on('error', () => process.exit(141));
process.on('SIGINT', () => {
  if (onInterrupt === 'ignore') return;
  // What is held is dropped, without a word.
  process.exit(0);
});

/** As the kernel would refuse it. */
function isRefused() {
  const [, effective] = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return (
    wantsCapability >= 0 && ((BigInt(`0x${effective}`) >> BigInt(wantsCapability)) & 1n) === 0n
  );
}

function begin() {
  if (isRefused()) {
    process.stderr.write('ERROR: Could not load program: Operation not permitted\n');
    process.exit(1);
  }
  print('Attaching 7 probes...\n');
  if (header) print('# vhostscope 1\n');
  for (const line of extra) hold(`${line}\n`);
  if (stderr !== '') process.stderr.write(stderr);
  if (ready === false) {
    if (exitAfterMs > 0) setTimeout(() => process.exit(exitCode), exitAfterMs);
    else setInterval(() => {}, 1000);
    return;
  }
  begunAt = performance.now();
  setInterval(emit, TICK_MS);
  setInterval(printDue, 5);
  setTimeout(() => {
    const token = '__BPFTRACE_NOTIFY_PROBES_ATTACHED\n';
    if (ready === 'stderr') process.stderr.write(token);
    else print(token);
    if (exitAfterMs > 0) setTimeout(() => process.exit(exitCode), exitAfterMs);
  }, attachMs);
}
