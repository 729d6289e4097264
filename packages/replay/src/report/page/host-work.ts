/** What no design changes: the device IOTLB, and the log of dirty memory. Nothing where both are off. */
import { grouped, percent } from '@vhostscope/terminal/text';
import type { Report } from '../report-schema.js';
import { element, section, shortTable } from './dom.js';
import { duration, virtqueueName } from './words.js';

export function hostWorkSections(report: Report): HTMLElement[] {
  return [...iotlbSection(report), ...dirtyLogSection(report)];
}

const number = (title: string) => ({ title, is: 'number' }) as const;

function iotlbSection(report: Report): HTMLElement[] {
  const { device_iotlb: found } = report.run;
  if (found === null) return [];
  const rows = found.virtqueues.map(({ id, rounds, skipped, misses, meta }) => {
    const areas = Object.values(meta ?? {});
    const hits = areas.reduce((sum, area) => sum + area.hits, 0);
    const lookups = areas.reduce((sum, area) => sum + area.hits + area.misses, 0);
    const { buffer, ...ofRing } = misses;
    return [
      virtqueueName(report, id),
      grouped(rounds),
      grouped(skipped),
      meta === null ? '–' : percent(hits, lookups),
      grouped(Object.values(ofRing).reduce((sum, one) => sum + one, 0)),
      grouped(buffer),
    ];
  });
  const devices = found.devices.map((device) => [
    `dev ${device.dev}`,
    grouped(device.misses),
    grouped(device.updates),
    grouped(device.invalidations),
    device.wait_mean === null ? '–' : duration(device.wait_mean),
    device.wait_longest === null ? '–' : duration(device.wait_longest),
    grouped(device.storms),
  ]);
  return [
    section(
      'Device IOTLB',
      element(
        'p',
        'Each miss costs a round and a way to the owner of the device and back; each of its answers drops the translations that are kept of all rings (meta-IOTLB). No design changes that.' +
          (found.misses_told ? '' : ' What was missed was not recorded.'),
      ),
      ...shortTable(
        'Rounds that went by the device IOTLB, by virtqueue',
        [
          { title: 'virtqueue' },
          number('rounds'),
          number('left at once'),
          number('meta-IOTLB hits'),
          number('misses of the ring'),
          number('misses of buffers'),
        ],
        rows,
      ),
      ...(devices.length === 0
        ? []
        : shortTable(
            'Misses and answers, by device',
            [
              { title: 'device' },
              number('misses'),
              number('updates'),
              number('invalidations'),
              number('answered after, on average'),
              number('at most'),
              number('storms'),
            ],
            devices,
          )),
    ),
  ];
}

function dirtyLogSection(report: Report): HTMLElement[] {
  const { dirty_log: found } = report.run;
  if (found === null) return [];
  return [
    section(
      'Dirty log',
      element(
        'p',
        'Each bit is set by itself, with a get_user_pages call for the page of the log that holds it. No design spares that.',
      ),
      ...shortTable(
        'What was logged as dirty, by virtqueue',
        [
          { title: 'virtqueue' },
          number('writes'),
          number('bits'),
          number('get_user_pages calls'),
          number('failed'),
          number('atomic operations, at least'),
        ],
        found.virtqueues.map(({ id, writes, bits, gup_calls, gup_failures, atomics }) => [
          virtqueueName(report, id),
          ...[writes, bits, gup_calls, gup_failures, atomics].map(grouped),
        ]),
      ),
    ),
  ];
}
