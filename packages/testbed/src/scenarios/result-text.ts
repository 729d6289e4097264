/** Results of the loads for people. */
import { counted, grouped, tableLines, type TableColumn } from '@vhostscope/terminal';
import type { DpdkResult } from './dpdk.js';
import type { LoadResult } from './load.js';

export function dpdkText(result: DpdkResult): string[] {
  const { mode, seconds, sent, received, dropped } = result;
  const packets =
    mode === 'txonly'
      ? `sent ${grouped(sent)} (${grouped(dropped)} found the ring full)`
      : `received ${grouped(received)}`;
  return [
    `testpmd, ${mode}, ${seconds} s: ${packets}: ` +
      `${grouped(result.packets_per_second)} packets/s`,
  ];
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'virtqueue', align: 'left' },
  ...['num', 'heads available', 'entries used', 'kicks', 'calls', 'errors'].map(
    (title) => ({ title, align: 'right' }) as const,
  ),
  ...['desc', 'avail', 'used'].map((title) => ({ title, align: 'left' }) as const),
];

export function loadText(result: LoadResult): string[] {
  const { device, seed, seconds, rounds, packets } = result;
  return [
    `${device}, seed ${seed}, ${seconds.toFixed(1)} s: ${counted(rounds, 'round')}, ` +
      `${grouped(packets.tx)} packets sent, ${grouped(packets.rx)} received`,
    '',
    ...tableLines(
      COLUMNS,
      result.virtqueues.map((vq) => [
        `${vq.index} ${vq.name}`,
        ...[vq.num, vq.heads_available, vq.entries_used, vq.kicks, vq.calls, vq.errors].map(
          grouped,
        ),
        vq.desc,
        vq.avail,
        vq.used,
      ]),
    ),
    '',
    `disturbances  ${disturbances(result)}`,
  ];
}

function disturbances(result: LoadResult): string {
  const entries = Object.entries(result.disturbances).filter(
    ([, { done, failed }]) => done + failed > 0,
  );
  if (entries.length === 0) return 'none';
  return entries
    .map(
      ([kind, { done, failed }]) =>
        `${kind} ${grouped(done)}${failed > 0 ? ` (${grouped(failed)} failed)` : ''}`,
    )
    .join(', ');
}
