/** What a line a second tells of many hosts, for programs. */
import { z } from 'zod';
import type { HostsView, HostView } from '../hosts/hosts-view.js';
import { decided, decidedSchema, rateSchema, told } from './status.js';

/** A line of `tui --from SERVER --json`. */
export const hostsStatusSchema = z.object({
  server: z.string(),
  problems: z.array(z.string()),
  /** Whether it is known by now which runs there are. */
  listed: z.boolean(),
  design: z.string(),
  /** ns of the window, which is each host's own. */
  window: z.number(),
  /** So many are followed at most, and names of those beyond. */
  most: z.number(),
  left_out: z.array(z.string()),
  /** The worst first. */
  hosts: z.array(
    z.object({
      host: z.string(),
      run: z.string(),
      /** `reading`: the numbers are of a moment that has gone by; `waiting`: there are none yet. */
      state: z.enum(['waiting', 'reading', 'under way', 'finished', 'cut']),
      /** Of what the server has of the run, so much is in the numbers. */
      share: z.number(),
      window: decidedSchema,
      total: decidedSchema,
      rates: z.object({ rounds: rateSchema, accesses: rateSchema, overlapping: rateSchema }),
      storms_so_far: z.number(),
      storms_under_way: z.number(),
      complete: z.enum(['yes', 'no', 'not known', 'not known yet']),
      /** Since the server got the last piece, ms. */
      age_ms: z.number(),
      /** The newest moment in the numbers: ns of the host's own clock, decimal. */
      boottime: z.string().nullable(),
      /**
       * What is to be added to `boottime` for the server's time, ns since 1970, and how far that may be off, ns, both
       * decimal; null where it was not measured. Nothing orders moments of two hosts more finely.
       */
      clock: z.object({ offset: z.string(), uncertainty: z.string() }).nullable(),
      problems: z.array(z.string()),
    }),
  ),
});
export type HostsStatus = z.infer<typeof hostsStatusSchema>;

export function hostsStatusOf(view: HostsView): HostsStatus {
  return {
    server: view.server,
    problems: [...view.problems],
    listed: view.isListed,
    design: view.design,
    window: view.window,
    most: view.most,
    left_out: [...view.leftOut],
    hosts: view.hosts.map(statusOfHost),
  };
}

function statusOfHost(host: HostView): HostsStatus['hosts'][number] {
  const { rates, clock, boottime } = host;
  return {
    host: host.host,
    run: host.run,
    state: host.state,
    share: host.share,
    window: decided(host.window),
    total: decided(host.total),
    rates: {
      rounds: told(rates.rounds),
      accesses: told(rates.accesses),
      overlapping: told(rates.overlapping),
    },
    storms_so_far: host.storms,
    storms_under_way: host.stormsUnderWay,
    complete: host.complete,
    age_ms: Math.round(host.age),
    boottime: boottime?.toString() ?? null,
    clock:
      clock === undefined
        ? null
        : { offset: String(clock.offset), uncertainty: String(clock.uncertainty) },
    problems: [...host.problems],
  };
}
