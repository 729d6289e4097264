/**
 * Recordings of hosts whose vhost has the direct-map code. None can be booted here: what a real kernel did
 * is printed in the lines of the recording program, by the program's own formats, and goes the way of a
 * live recording.
 */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  type TraceHeader,
} from '@vhostscope/trace';
import { describe, expect, it } from 'vitest';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { verifyResultSchema, type VerifyResult } from '../src/verify-result.ts';
import { replay } from './in-process.ts';
import { expectedOf, temporaryFolder, textOf, trace } from './traces.ts';

const PROGRAM = readFileSync(
  join(import.meta.dirname, '../../collector/test/hosts/direct-map-accesses.bt'),
  'latin1',
);

/** A printf of the program: the columns of a line, with literals where they do not depend on anything. */
type Format = readonly string[];

const FORMATS: readonly Format[] = [
  ...new Set([...PROGRAM.matchAll(/printf\("([A-Z] [^"\\]*)\\n"/g)].map(([, text]) => text ?? '')),
].map((text) => text.split(' '));

/** What the program would print of an event of the golden text; undefined for what it does not see. */
function printed(line: string): string | undefined {
  const [tag = '', ...values] = line.split(' ');
  // Effects happen under a lock, and nobody sees them.
  if (tag === 'IS' || tag === 'IE') return undefined;
  const format = FORMATS.find(
    ([first, ...columns]) =>
      first === tag &&
      columns.length <= values.length &&
      columns.every((column, i) => column.startsWith('%') || column === values[i]),
  );
  if (format === undefined) throw new Error(`the program prints no line like ${line}`);
  const columns = format.slice(1).map((column, i) => {
    const value = i === format.length - 2 ? values.slice(i).join(' ') : (values[i] ?? '');
    return { column, value };
  });
  return [tag, ...columns.map(({ column, value }) => asPrinted(column, value))].join(' ');
}

/** A value as bpftrace prints it by a conversion. */
function asPrinted(conversion: string, value: string): string {
  switch (conversion) {
    case '%llx':
      return BigInt(`0x${value}`).toString(16);
    case '%llu':
      return BigInt.asUintN(64, BigInt(value)).toString();
    case '%u':
      return BigInt.asUintN(32, BigInt(value)).toString();
    case '%d':
      return BigInt.asIntN(32, BigInt(value)).toString();
    default:
      // %r, or a literal.
      return value;
  }
}

const HEADER_OF_PROGRAM = /printf\("(# [^"\\]*)\\n"\)/.exec(PROGRAM)?.[1] ?? '';

/** A golden recording as the program would have printed it, with what only the program prints. */
function recorded(golden: string): string {
  const lines: string[] = ['Attaching 50 probes...', HEADER_OF_PROGRAM];
  let heard = 0;
  for (const line of textOf(golden).split('\n')) {
    if (!/^[A-Z]{1,2} \d/.test(line)) continue;
    const [tag, time, cpu, , isStart, start, end, cause, blockable, pid, ...comm] = line.split(' ');
    const rest = `${start} ${end} ${cause} ${blockable} ${pid} - ${comm.join(' ')}`;
    // The memory manager's call, about vhost's callback.
    const owner = Number(pid);
    if (tag === 'R') lines.push(`K ${time} ${cpu} ${owner} ${isStart} ${rest}`);
    const text = printed(line);
    if (text !== undefined) lines.push(text);
    if (tag === 'R') heard++;
    if (tag === 'R' && heard % 50 === 0) lines.push(`H ${time} ${cpu} 1 1 1 1 0 0`);
  }
  return `${lines.join('\n')}\n`;
}

const folder = temporaryFolder();
const HEADER: TraceHeader = {
  sources: ['collector attach'],
  writer: 'test',
  clock: 'CLOCK_BOOTTIME',
  keepsPointers: false,
  preemption: 'voluntary',
  probes: { detail: 'accesses', hostKind: 'direct-map', views: [] },
  program: PROGRAM,
};

/** A trace as `collector attach` leaves it. */
function live(name: string, text: string, header: TraceHeader = HEADER): string {
  const path = join(folder, `${name}.arrows`);
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, header);
  const importer = createTextImporter(writer, createImportReport());
  importer.push(Buffer.from(text, 'latin1'));
  importer.end();
  closeTrace(writer);
  closeSync(fd);
  return path;
}

async function run(path: string, ...options: string[]): Promise<RunResult> {
  const { code, out, err } = await replay('run', '--json', ...options, path);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return runResultSchema.parse(JSON.parse(out));
}

async function verify(path: string, ...options: string[]): Promise<VerifyResult> {
  const { out } = await replay('verify', '--json', ...options, path);
  return verifyResultSchema.parse(JSON.parse(out));
}

/** What an answer rests on, without how the trace came about. */
const decisionsOf = ({ totals, virtqueues, prefetch, ranges, rounds }: RunResult): unknown => ({
  totals,
  virtqueues,
  prefetch,
  ranges,
  rounds,
});

describe.each(['u1', 'u4', 's3', 's1', 'f1'])('%s, as the program would print it', (golden) => {
  const { name, design, path: original, preempt } = trace(golden);
  const text = recorded(golden);
  const path = live(name, text);

  it('gives the same decisions from ranges as the golden trace, accessor by accessor', async () => {
    const options = ['--order', 'ranges', '--design', design];
    const found = await run(path, ...options);
    expect(found.host).toBe('direct-map');
    expect(decisionsOf(found)).toEqual(
      decisionsOf(await run(original, ...options, '--preempt', preempt)),
    );
    const { accesses, ranges } = expectedOf(name);
    expect(found.totals.accesses).toBe(accesses);
    expect(found.ranges).toMatchObject({ start: ranges.start, end: ranges.end });
  });

  it('contradicts no decision of the kernel, by itself', async () => {
    const found = await verify(path, '--design', design);
    expect(found).toMatchObject({ order: 'ranges', disagree: 0, first: [] });
    expect(found.accesses.compared).toBe(expectedOf(name).accesses);
  });

  it('keeps to the accessor rules, as the golden trace does', async () => {
    expect((await replay('check', path)).code).toBe(0);
  });

  it('is told by its text alone, too', async () => {
    const plain = join(folder, `${name}.txt`);
    writeFileSync(plain, text, 'latin1');
    const options = ['--order', 'ranges', '--design', design, '--preempt', preempt];
    expect(decisionsOf(await run(plain, ...options))).toEqual(
      decisionsOf(await run(path, ...options)),
    );
  });
});

describe('what such a recording cannot answer', () => {
  const path = live('plain', recorded('u2'));

  it('effects: nobody saw them', async () => {
    const { code, err } = await replay('verify', '--order', 'effects', path);
    expect(code).toBe(2);
    expect(err).toContain('no recorded effects');
  });

  it.each(['run', 'compare'])('a design that every range concerns, by %s', async (command) => {
    const option = command === 'run' ? '--design' : '--designs';
    const { out } = await replay(command, '--json', option, 'mmdrop-fix', path);
    const document = JSON.parse(out);
    const found = command === 'run' ? document.totals : document.traces[0].designs[0].decisions;
    const { accesses } = expectedOf(trace('u2').name);
    expect(found).toMatchObject({ accesses, hits: 0, ambiguous: accesses });
  });

  it('that design of its text alone, with its first line or without', async () => {
    const { accesses } = expectedOf(trace('u2').name);
    const text = recorded('u2');
    for (const [name, kept] of [
      ['whole.txt', text],
      ['headless.txt', text.replace(HEADER_OF_PROGRAM, '')],
    ] as const) {
      const plain = join(folder, name);
      writeFileSync(plain, kept, 'latin1');
      const { host, totals } = await run(plain, '--design', 'mmdrop-fix');
      expect({ host, ...totals }).toMatchObject({
        host: 'direct-map',
        hits: 0,
        ambiguous: accesses,
      });
    }
  });

  it('says why in words, of an access', async () => {
    const { out } = await replay('explain', '--design', 'mmdrop-fix', '--access', '100', path);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('those away from the rings are not in the trace');
  });

  it('says that an access is told a little before its decision, where there are maps', async () => {
    const sentence = /^each access is told where its accessor begins/;
    const saying = async (from: string, ...options: string[]): Promise<number> =>
      (await run(from, ...options)).assumptions.filter((one) => sentence.test(one)).length;
    expect(await saying(path)).toBe(1);
    expect(await saying(path, '--design', 'copy')).toBe(0);
    expect(await saying(trace('u2').path)).toBe(0);
    const { out } = await replay('compare', '--json', path);
    const { assumptions } = JSON.parse(out).traces[0];
    expect(assumptions.filter((one: string) => sentence.test(one))).toHaveLength(1);
  });

  it('attempts as observations: they are told too late', async () => {
    const { code, err } = await replay('run', '--use-observations', path);
    expect(code).toBe(2);
    expect(err).toMatch(/was recorded live: its attempts are told when they have returned/);
  });
});

it('where accesses are derived, the callbacks beside them change nothing', async () => {
  const { probes: _, ...stockHeader } = HEADER;
  const probes = { detail: 'rounds' as const, views: [] };
  const text = recorded('u1').replace(HEADER_OF_PROGRAM, '# vhostscope 1');
  const beside = live('beside', text, { ...stockHeader, probes });
  const without = live('without', text.replace(/^[RP] .*\n/gm, ''), { ...stockHeader, probes });
  const found = await run(beside);
  expect(found.host).toBe('stock');
  expect(decisionsOf(found)).toEqual(decisionsOf(await run(without)));
});
