/** `collector attach` within the test's own process, with a bpftrace that is not one. */
import { fakeHost, type Scenario } from './fake-host.ts';
import { collectorOn, type Outcome } from './in-process.ts';

/** What was emitted; beside the folder of the test. */
export const TRUTH = '../truth.json';

export async function attach(scenario: Scenario, ...args: string[]): Promise<Outcome> {
  return collectorOn(fakeHost({ truth: TRUTH, ...scenario }), 'attach', ...args);
}
