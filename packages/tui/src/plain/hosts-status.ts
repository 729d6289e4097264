/** What a line a second tells of many hosts, for programs. */
import { z } from 'zod';
import type { HostsView, HostView } from '../hosts/hosts-view.js';
import { decided, decidedSchema, rateSchema, told } from './status.js';

/** A line of `tui --from SERVER --json`. */
export const hostsStatusSchema = z.object({
  server: z.string(),
  problems: z.array(z.string()),
  listed: z.boolean().describe('whether it is known by now which runs there are'),
  design: z.string(),
  window: z.number().describe("ns, counted on each host's own clock"),
  most: z.number().describe('how many hosts are followed at most'),
  left_out: z.array(z.string()).describe('hosts beyond that'),
  hosts: z
    .array(
      z.object({
        host: z.string(),
        run: z.string(),
        state: z
          .enum(['waiting', 'reading', 'under way', 'finished', 'cut'])
          .describe('waiting: no numbers yet; reading: they are of a moment that has gone by'),
        share: z
          .number()
          .describe('how much of what the server has of the run is in the numbers, 0 to 1'),
        window: decidedSchema,
        total: decidedSchema,
        rates: z.object({ rounds: rateSchema, accesses: rateSchema, overlapping: rateSchema }),
        storms_so_far: z.number(),
        storms_under_way: z.number(),
        complete: z.enum(['yes', 'no', 'not known', 'not known yet']),
        age_ms: z.number().describe('since the server got the last piece'),
        boottime: z
          .string()
          .nullable()
          .describe("the newest moment in the numbers: ns of the host's CLOCK_BOOTTIME, decimal"),
        clock: z
          .object({
            offset: z
              .string()
              .describe('ns to add to boottime for the time of the server since 1970, decimal'),
            uncertainty: z
              .string()
              .describe(
                'ns by which that may be off, decimal; moments of two hosts are not ordered more finely',
              ),
          })
          .nullable()
          .describe('null where it was not measured'),
        problems: z.array(z.string()),
      }),
    )
    .describe('the worst first'),
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
