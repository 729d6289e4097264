// `npm run bench:host`: what a recording takes from the loads of a host, by level of detail. Time passes with the
// instructions that the host's one CPU executes, so figures come out alike in every run, whatever else this machine
// does. Quote the ratios: the rates are those of a CPU of 10⁹ instructions a second.
import { fileURLToPath } from 'node:url';
import { EXIT, grouped, ProgramError, runProgram, say, tableLines } from '@vhostscope/terminal';
import { DPDK_PACKAGES, shellQuoted, startDpdk, startLoad } from '../dist/index.js';
import { median } from '../../../bench/median.mjs';
import { recordFigures } from '../../../bench/recorded-figures.mjs';
import { onBootedHost } from '../dist/on-booted-host.js';

const NAME = 'bench:host';
const { print, save } = recordFigures('npm run bench:host');
const COLLECTOR = fileURLToPath(new URL('../../collector/bin/collector.js', import.meta.url));
const TRACE = '/tmp/rc.arrows';

/** What stands behind `--detail`. */
const LEVELS = (process.env.LEVELS ?? 'without,rounds').split(',');

/** Each sets a load up, and returns what lets it go and tells its packets and seconds when it is through. */
const LOADS = {
  load: async (host) => {
    const load = await startLoad(host, 'net', { seconds: 3, disturb: 'none' });
    return async () => {
      await load.go();
      const { packets, seconds } = await load.result;
      return { packets: packets.rx + packets.tx, seconds };
    };
  },
  'testpmd txonly': async (host) => {
    const testpmd = await startDpdk(host, { seconds: 3 });
    return async () => {
      await testpmd.go();
      const { sent, seconds } = await testpmd.result;
      return { packets: sent, seconds };
    };
  },
};

/** A whole number from the environment. */
function setting(name, otherwise, most) {
  const value = Number(process.env[name] ?? otherwise);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new ProgramError(`${name} is to be a whole number from 1 to ${most}`);
}

/**
 * Records at a level until the returned function is called, which tells what became of it. Attaching takes
 * half a minute under emulation.
 */
async function record(host, level) {
  const words = [COLLECTOR, 'attach', '-o', TRACE, '--detail', ...level.split(' '), '--json'];
  let said = '';
  let isAttached;
  const attached = new Promise((resolve) => (isAttached = resolve));
  const collector = host.start(`exec node ${process.env.PROF ? '--cpu-prof --cpu-prof-interval 500 --cpu-prof-dir=/tmp/prof ' : ''}${words.map(shellQuoted).join(' ')}`, {
    onStderr: (bytes) => {
      said += bytes.toString();
      if (said.includes('attached; recording')) isAttached();
    },
  });
  const failed = collector.ended.then(({ status, stderr }) => {
    throw new ProgramError(
      `collector attach --detail ${level} ended with exit code ${status}: ${stderr.trim()}`,
      { exitCode: EXIT.host },
    );
  });
  failed.catch(() => undefined);
  await Promise.race([attached, failed]);
  return async () => {
    collector.signal('SIGINT');
    const { status, stdout, stderr } = await collector.ended;
    if (process.env.PROF) {
      const { stdout: prof } = await host.run('cat /tmp/prof/*.cpuprofile', { cwd: '/' });
      (await import('node:fs')).writeFileSync(process.env.PROF, prof);
    }
    if (status === 0) return JSON.parse(stdout);
    throw new ProgramError(`collector attach could not end its trace: ${stderr.trim()}`);
  };
}

/** Within the three seconds of a load: what is started or torn down around it is not looked at. */
const LOOK_AFTER_S = 0.3;
const LOOK_FOR_S = 2.4;

/** The share of the CPU that bpftrace and the collector get while a load runs. */
async function recorderShare(host) {
  const look = 'cat /proc/[0-9]*/stat';
  const { stdout } = await host.run(
    `getconf CLK_TCK; sleep ${LOOK_AFTER_S}; ${look}; echo; sleep ${LOOK_FOR_S}; ${look}`,
    { cwd: '/' },
  );
  const ticks = Number.parseInt(stdout, 10);
  const [before, after] = stdout.split('\n\n').map(recorderTicks);
  return (after - before) / ticks / LOOK_FOR_S;
}

/** What they have used so far. */
function recorderTicks(stats) {
  const processes = [...stats.matchAll(/^(\d+) \((.*)\) \S (\d+)(?: \S+){9} (\d+) (\d+)/gm)].map(
    ([, pid, name, parent, user, system]) => ({
      pid,
      name,
      parent,
      used: Number(user) + Number(system),
    }),
  );
  const bpftrace = processes.find(({ name }) => name === 'bpftrace');
  const collector = processes.find(({ pid }) => pid === bpftrace?.parent);
  console.error('ticks', bpftrace?.used, collector?.used);
  return (bpftrace?.used ?? 0) + (collector?.used ?? 0);
}

/** Runs a load: its packets, the seconds that took, and the recorder's share of the CPU. */
async function measureLoad(host, start) {
  const go = await start(host);
  const [{ packets, seconds }, recorder] = await Promise.all([go(), recorderShare(host)]);
  return { packets, seconds, recorder };
}

/** Runs all loads some times at one level, and adds what they did to the figures of the level. */
async function measureLevel(host, level, runs, figures) {
  const stop = level === 'without' ? undefined : await record(host, level);
  let total = 0;
  // Not counted: in its first seconds Node compiles what it runs.
  for (const start of Object.values(LOADS)) total += (await measureLoad(host, start)).packets;
  for (let run = 0; run < runs; run++) {
    for (const [name, start] of Object.entries(LOADS)) {
      const { packets, seconds, recorder } = await measureLoad(host, start);
      figures.shared[name].push(packets / seconds);
      figures.apart[name].push(packets / seconds / (1 - recorder));
      total += packets;
    }
  }
  if (stop === undefined) return;
  const { events, complete } = await stop();
  figures.eventsPerPacket.push(events / total);
  figures.complete.push(complete);
}

/** "120,345", and how far the runs lie apart: half the distance between the least and the most. */
function rateText(values) {
  const middle = median(values);
  const spread = (Math.max(...values) - Math.min(...values)) / 2 / middle;
  return [grouped(Math.round(middle)), `±${Math.round(100 * spread)} %`];
}

function costTable(measured) {
  const without = measured.get('without');
  const ratio = (rates, name, figure) =>
    (median(rates[name]) / median(without[figure][name])).toFixed(2);
  const rows = [...measured].map(([level, { shared, apart, eventsPerPacket, complete }]) => [
    level,
    ...Object.keys(LOADS).flatMap((name) => [
      ...rateText(shared[name]),
      ratio(shared, name, 'shared'),
      ratio(apart, name, 'apart'),
    ]),
    eventsPerPacket.length === 0 ? '' : (1000 * median(eventsPerPacket)).toFixed(0),
    complete.length === 0 ? '' : `${complete.filter(Boolean).length} of ${complete.length}`,
  ]);
  return tableLines(
    [
      { title: 'recording', align: 'left' },
      ...Object.keys(LOADS).flatMap((name) => [
        { title: `${name}, packets/s`, align: 'right' },
        { title: 'spread', align: 'right' },
        { title: 'x without', align: 'right' },
        { title: 'recorder apart', align: 'right' },
      ]),
      { title: 'events per 1,000 packets', align: 'right' },
      { title: 'complete', align: 'right' },
    ],
    rows,
  );
}

const WHAT_IT_SAYS = `x without: bpftrace and the collector share the one CPU with the load and vhost.
recorder apart: packets by the CPU time that is not the recorder's: what the probes alone take, as where
the recorder has a CPU of its own.
`;

async function measure(host, { turns, runs }) {
  const perLoad = () => Object.fromEntries(Object.keys(LOADS).map((name) => [name, []]));
  const measured = new Map(
    LEVELS.map((level) => [
      level,
      { shared: perLoad(), apart: perLoad(), eventsPerPacket: [], complete: [] },
    ]),
  );
  for (let turn = 0; turn < turns; turn++) {
    for (const level of turn % 2 === 0 ? LEVELS : LEVELS.toReversed()) {
      say(NAME, `turn ${turn + 1} of ${turns}: ${level}`);
      await measureLevel(host, level, runs, measured.get(level));
    }
  }
  return measured;
}

async function main() {
  const turns = setting('BENCH_TURNS', 1, 100);
  const runs = setting('BENCH_RUNS', 3, 100);
  const options = {
    cpus: 1,
    kernel: '6.1',
    preempt: 'voluntary',
    time: 'instructions',
    packages: DPDK_PACKAGES,
  };
  return onBootedHost(options, async (host) => {
    const measured = await measure(host, { turns, runs });
    const medians = `medians of ${turns * runs} runs of 3 s`;
    const lines = [
      `Linux ${host.kernelRelease} on a CPU of 10⁹ instructions a second; ${medians}`,
      '',
      ...costTable(measured),
      '',
    ];
    print(`${lines.join('\n')}\n${WHAT_IT_SAYS}`);
    save();
    return EXIT.done;
  });
}

await runProgram(NAME, main);
