/** A real kernel in a minute or two: one load, recorded by rounds. What CI has time for. */
import { EXIT, ProgramError, say } from '@vhostscope/terminal';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, type Host } from '../../src/index.js';
import { expectTruth, recordLoad } from './recorded-load.js';

/** Told by CI, which has its other results where this machine cannot have a test host. */
const mayBeMissing = process.env['HOST_MAY_BE_MISSING'] === '1';

let host: Host | undefined;
beforeAll(async () => {
  try {
    host = await bootHost({ kernel: '6.1', cpus: 1, say: (message) => say('testbed', message) });
  } catch (error) {
    const isMissing = error instanceof ProgramError && error.exitCode === EXIT.host;
    if (!mayBeMissing || !isMissing) throw error;
    say('testbed', `no test on a real kernel: ${error.message}`);
  }
});
afterAll(async () => {
  await host?.close();
});

test('a load is recorded as it was, with the ranges over its rings', async (context) => {
  if (host === undefined) return context.skip('this machine cannot have a test host');
  const recorded = await recordLoad(host, 'net', { packets: 2000, between: 8, 'kvm-vm': true });
  expectTruth(recorded);
  expect(recorded.trace.events['core_range_start']).toBeGreaterThan(0);
});
