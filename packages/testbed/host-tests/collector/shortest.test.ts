/** A real kernel in a minute or two: one load, recorded by rounds. What CI has time for. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, type Host } from '../../src/index.js';
import { expectTruth, recordLoad } from './recorded-load.js';

let host: Host;
beforeAll(async () => {
  host = await bootHost({ kernel: '6.1', cpus: 1 });
});
afterAll(async () => {
  await host.close();
});

test('a load is recorded as it was, with the ranges over its rings', async () => {
  const recorded = await recordLoad(host, 'net', { packets: 2000, between: 8, 'kvm-vm': true });
  expectTruth(recorded);
  expect(recorded.trace.events['core_range_start']).toBeGreaterThan(0);
});
