/** Made-up hosts for tests of what is shown of them. */
import type { HostsView, HostView } from '../src/hosts/hosts-view.js';
import { decided } from './made-up-views.js';

export function hostView(host: string, over: Partial<HostView> = {}): HostView {
  return {
    host,
    run: '20261128T051949Z-07a760a0',
    state: 'under way',
    share: 1,
    window: decided(990, 10),
    total: decided(99_990, 10),
    spark: [1, 1, 0.5, Number.NaN, 0.9, 1],
    rates: { rounds: 240, accesses: 91_200, overlapping: 6 },
    storms: 0,
    stormsUnderWay: 0,
    complete: 'not known yet',
    age: 312,
    boottime: 1_012_345_000_000n,
    clock: { clock: 'CLOCK_BOOTTIME', at: 1n, offset: 2n, uncertainty: 411_001n },
    problems: [],
    ...over,
  };
}

export function hostsView(over: Partial<HostsView> = {}): HostsView {
  return {
    server: 'nats://lab:4222',
    problems: [],
    isListed: true,
    design: 'merged',
    pinning: ['vmap-v1'],
    window: 10e9,
    hosts: [
      hostView('web1', {
        window: decided(50, 50, { ambiguous: 9 }),
        storms: 3,
        stormsUnderWay: 1,
        complete: 'no',
        problems: ['web1/1: 12 events are missing', 'more'],
      }),
      hostView('web2'),
      hostView('db', { state: 'reading', share: 0.426, complete: 'not known' }),
      hostView('old', { state: 'finished', complete: 'yes', age: 3e5, clock: undefined }),
    ],
    most: 32,
    leftOut: [],
    ...over,
  };
}
