#!/usr/bin/env node
// Stands in for perf in tests. `record` prints rounds of one virtqueue as text, and counts them where the kernel
// would (kprobe_profile of the pretended tracefs); `script` prints what it reads. What is recorded waits until it
// is to be handed over, as in perf.
//
// FAKE_PERF holds the scenario as JSON, see `perf-attach.test.ts`.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';

const {
  tracefs,
  cpus = 2,
  roundMs = 5,
  loseEvery = 0,
  tellLost = false,
  misses = 0,
  uncounted,
  exitCode,
  stderr = '',
  dieAfterMs = 0,
  ringFields = '',
} = JSON.parse(process.env.FAKE_PERF ?? '{}');

const [command, ...args] = process.argv.slice(2);
if (command === 'script') {
  process.stdin.pipe(process.stdout);
} else {
  process.stderr.write(stderr);
  if (exitCode !== undefined) process.exit(exitCode);
  record();
}

function record() {
  const named = (event) =>
    args.find((arg) => new RegExp(`^vhostscope_\\d+_\\d+:${event}_\\d+_\\d+$`).test(arg)) ?? event;
  const round = named('round');
  const end = named('net_tx_end');
  const hits = { [round]: 0, [end]: 0 };
  let held = '';
  let lost = 0;

  const line = (cpu, event, rest) => {
    const time = String(process.hrtime.bigint()).padStart(10, '0');
    const seconds = `${time.slice(0, -9)}.${time.slice(-9)}`;
    held += `       vhost-190   190/190   [00${cpu}] ${seconds}: ${event}: ${rest}\n`;
  };
  const hit = (cpu, event, rest) => {
    hits[event]++;
    profile();
    if (loseEvery > 0 && hits[event] % loseEvery === 0) lost++;
    else line(cpu, event, `(ffffffffc04df650) ${rest}`);
  };
  const profile = () => {
    const counts = Object.entries(hits).map(
      ([event, count]) => `  ${event.split(':')[1]}   ${count}   ${misses}\n`,
    );
    // The kernel lists all probes that there are.
    for (const [, event] of readFileSync(`${tracefs}/kprobe_events`, 'latin1').matchAll(
      /^[pr]\d*:\w+\/(\w+) /gm,
    ))
      if (!Object.keys(hits).some((known) => known.endsWith(`:${event}`)))
        counts.push(`  ${event}   0   0\n`);
    // Nobody shall read a part of it.
    const told = counts.filter(
      (count) => uncounted === undefined || !count.trimStart().startsWith(uncounted),
    );
    writeFileSync(`${tracefs}/profile`, told.join(''));
    renameSync(`${tracefs}/profile`, `${tracefs}/kprobe_profile`);
  };
  const rounds = setInterval(() => {
    hit(0, round, `vq=0xffff888000001000 ${ringFields}`);
    hit(0, end, `mutex=0xffff888000001008 ${ringFields}`);
  }, roundMs);
  setInterval(() => {
    if (tellLost && lost > 0) line(0, 'PERF_RECORD_LOST', `lost ${lost}`);
    held = held.replace('PERF_RECORD_LOST: ', 'PERF_RECORD_LOST ');
    lost = 0;
    for (let cpu = 0; cpu < cpus; cpu++) line(cpu, 'heartbeat', '');
  }, 50);
  const handOver = () => {
    process.stdout.write(held);
    held = '';
  };
  new Socket({ fd: 3 }).on('data', handOver).on('error', () => {});
  process.on('SIGINT', () => {
    clearInterval(rounds);
    // Hit while its events are taken away one by one.
    hits[round] += 3;
    profile();
    process.stdout.write(held, () => process.exit(0));
  });
  process.stdout.on('error', () => process.exit(1));
  if (dieAfterMs > 0) setTimeout(() => process.kill(process.pid, 'SIGKILL'), dieAfterMs);
}
