/** What a platform makes of the designs that `replay compare` compares. */
import { DESIGNS } from '@vhostscope/model';
import { describe, expect, it } from 'vitest';
import { runResultSchema } from '../src/run-result.ts';
import { compare, rowOf } from './compared.ts';
import { replay } from './in-process.ts';
import { trace } from './traces.ts';

describe('a platform', () => {
  const { path } = trace('u5');

  it('switches a direct map off, and says why', async () => {
    const { out } = await replay('run', path, '--arch', 'aarch64');
    expect(out).toContain(
      'arm64 implements flush_dcache_page, for which the design is not compiled',
    );
    expect(out).toContain('the platform switches the design off');
    const { result } = await compare(path, '--arch', 'arm64');
    const rows = result.traces[0]?.designs;
    for (const name of ['merged', 'direct-rfc-v3', 'fixes-v5', 'mmdrop-fix', 'rework']) {
      const { decisions, switched_off: why } = rowOf(rows, name);
      expect(why).toContain('arm64');
      expect(decisions.fallbacks).toBe(decisions.accesses);
    }
    expect(rowOf(rows, 'vmap-v3').switched_off).toBeNull();
    expect(rowOf(rows, 'vmap-v3').decisions.hits).toBeGreaterThan(0);
  });

  it('counts the flushes that maps need where caches alias', async () => {
    const rowsOn = async (arch: string) =>
      (await compare(path, '--arch', arch, '--designs', 'vmap-v1,merged')).result.traces[0]
        ?.designs;
    const parisc = rowOf(await rowsOn('parisc'), 'vmap-v1');
    const { hits } = parisc.decisions;
    const { before_reads: reads = 0, after_writes: writes = 0 } = parisc.cache_flushes ?? {};
    expect(reads + writes).toBe(hits);
    expect(parisc.cache_flushes?.doubled_by_kunmap).toBe(writes);
    expect(rowOf(await rowsOn('parisc'), 'merged').cache_flushes?.after_writes).toBe(0);
    expect(rowOf(await rowsOn('sparc64'), 'vmap-v1').cache_flushes?.doubled_by_kunmap).toBe(0);
    expect(rowOf(await rowsOn('arm64'), 'vmap-v1').cache_flushes?.before_reads).toBe(0);
    expect(rowOf(await rowsOn('x86_64'), 'vmap-v1').cache_flushes).toBeNull();
  });

  it('leaves open how many flushes accesses need that may hit', async () => {
    const s3 = trace('s3').path;
    const options = ['--arch', 'parisc', '--designs', 'vmap-v3'];
    const { decisions, cache_flushes: flushes } = rowOf(
      (await compare(s3, ...options)).result.traces[0]?.designs,
      'vmap-v3',
    );
    const { hits, ambiguous } = decisions;
    expect(ambiguous).toBeGreaterThan(0);
    const { before_reads: reads = 0, after_writes: writes = 0, most } = flushes ?? {};
    expect(reads + writes).toBe(hits);
    expect((most?.before_reads ?? 0) + (most?.after_writes ?? 0)).toBe(hits + ambiguous);
    const { out } = await replay('compare', s3, ...options);
    expect(out).toMatch(/^vmap-v3 +[\d,]+ … [\d,]+ +[\d,]+ … [\d,]+ +[\d,]+ … [\d,]+ /m);
  });

  it('lets every access through a device IOTLB, whatever the design, at no known rate', async () => {
    const s3 = trace('s3').path;
    const { result } = await compare(s3, '--iotlb');
    const rows = result.traces[0]?.designs ?? [];
    expect(rows).toHaveLength(DESIGNS.length);
    for (const { decisions, cost } of rows) {
      const { accesses } = decisions;
      expect(decisions).toMatchObject({ accesses, hits: 0, fallbacks: 0, ambiguous: 0 });
      expect(decisions.iotlb).toBe(accesses);
      expect(cost).toMatchObject({
        rates: [],
        reason: 'every access goes through the device IOTLB, with which no rate was measured',
      });
    }
    expect((await replay('compare', s3, '--iotlb')).out).toMatch(
      /^merged \(off\) +0\.00 % +0\.00 % +100\.00 % +0\.00 % +0$/m,
    );
    for (const design of ['merged', 'vmap-v3', 'copy']) {
      const { out } = await replay('run', s3, '--iotlb', '--design', design, '--json');
      expect(runResultSchema.parse(JSON.parse(out)).totals).toEqual(rowOf(rows, design).decisions);
    }
    const { out } = await replay('run', s3, '--iotlb', '--calibrate', '5,6');
    expect(out).toContain(
      '13,316 accesses: 0 direct-map hits (0.00 %), 0 fallbacks, 13,316 by dev',
    );
    expect(out).toContain('packets per second: not known: every access goes through the device');
  });

  it('settles what a design asks of memory', async () => {
    const shareOf = async (...args: string[]) =>
      rowOf(
        (await compare(path, '--designs', 'vmap-v4,vmap-v3', ...args)).result.traces[0]?.designs,
        'vmap-v4',
      );
    expect((await shareOf()).decisions.hits).toBe(0);
    expect((await shareOf('--ring-memory', 'hugetlb')).decisions.hits).toBeGreaterThan(0);
    expect((await shareOf('--ring-memory', 'file')).switched_off).toContain('in a file');
    expect((await shareOf('--iotlb')).switched_off).toContain('device IOTLB');
    expect((await shareOf('--highmem')).switched_off).toBeNull();
  });

  it('of larger pages asks for fewer of them', async () => {
    const reasons = async (...args: string[]) =>
      rowOf(
        (await compare(trace('u2').path, '--designs', 'merged', ...args)).result.traces[0]?.designs,
        'merged',
      ).decisions.reasons;
    expect((await reasons())['not_contiguous']).toBeGreaterThan(0);
    expect((await reasons('--page-size', '64k'))['not_contiguous']).toBeUndefined();
    const { code, err } = await replay('compare', path, '--page-size', '3k');
    expect(code).toBe(2);
    expect(err).toContain('one of 4k, 16k, 64k');
  });

  it('is known by name only', async () => {
    const { code, err } = await replay('run', path, '--arch', 'vax');
    expect(code).toBe(2);
    expect(err).toContain('no architecture is called "vax"');
    expect(err).toContain('parisc');
  });
});
