/** Every view as it stands on a screen. */
import { expect, test } from 'vitest';
import { screen } from '../../test/drawn-dashboard.js';
import {
  dashboardView,
  decided,
  judgement,
  queueDetail,
  storm,
  virtqueue,
} from '../../test/made-up-views.js';
import type { DashboardView } from '../dashboard.js';

test('overview', () => {
  expect(screen({})).toMatchInlineSnapshot(`
    "
    vhostscope  trace.arrows  file, ended                 ▸ 1x  12.345 s of 60.000 s
    design merged  now is the last 10.0 s                             179,142 events
     1 overview ─ 2 storms ─ 3 queue ─ 4 causes ─ 5 recording ──────────────────────
    merged      now 99.00 %  all 99.99 % of 100,000 accesses  not: invalidated 10
    per s  rounds 240  accesses 91.2k  heads 18.0k  ranges 40, 6 over rings
    2 virtqueues by misses
      virtqueue         hits now  maps  of late   access   inval  most fall back as
    ▸ vq 0               99.00 %  Da~     ██▄ ▇█   45.6k       3  invalidated
      vq 1 tx            99.00 %  Da~     ██▄ ▇█   45.6k       3  invalidated













    Space pause  l live  t time  Enter open  / search  o order        ? help  q quit
    "
  `);
});

test('overview, two designs side by side, on a wide screen', () => {
  const beside = judgement({ window: decided(500, 500), total: decided(50, 50, { ambiguous: 9 }) });
  expect(
    screen({
      size: { columns: 160, rows: 24 },
      view: {
        beside: 'fixes-v5',
        besideTotal: beside,
        virtqueues: [virtqueue(0, { beside }), virtqueue(1, { beside })],
        costReason: 'no rate of fixes-v5 was published for this host',
      },
    }),
  ).toMatchInlineSnapshot(`
    "
    vhostscope  trace.arrows  file, ended                                                                                                 ▸ 1x  12.345 s of 60.000 s
    design merged  beside fixes-v5  now is the last 10.0 s                                                                                            179,142 events
     1 overview ─ 2 storms ─ 3 queue ─ 4 causes ─ 5 recording ──────────────────────────────────────────────────────────────────────────────────────────────────────
    merged      now 99.00 %  all 99.99 % of 100,000 accesses  not: invalidated 10
    fixes-v5    now 50.00 %  all 45.87…54.12 % of 109 accesses  not: invalidated 10
    per second  rounds 240  accesses 91.2k  heads 18.0k  invalidations 6 over rings, 40 in all
    2 virtqueues by misses  Mpps not known: no rate of fixes-v5 was published for this host
      virtqueue    process                        merged  maps         fixes-v5  maps      hits in all  of late     access   inval         Mpps  most fall back as
    ▸ vq 0         qemu-system-x86 (10…          99.00 %  Da~           50.00 %  Da~           99.99 %      ██▄ ▇█   45.6k       3  +0.95…+1.10  invalidated
      vq 1 tx      qemu-system-x86 (10…          99.00 %  Da~           50.00 %  Da~           99.99 %      ██▄ ▇█   45.6k       3  +0.95…+1.10  invalidated












    Space pause  l live  t time  Enter open  / search  o order  f filter  d design  b beside                                                          ? help  q quit
    "
  `);
});

test('storms', () => {
  expect(
    screen({
      view: { storms: [storm(2, { isOver: false }), storm(1)] },
      state: { view: 'storms' },
    }),
  ).toMatchInlineSnapshot(`
    "
    vhostscope  trace.arrows  file, ended                 ▸ 1x  12.345 s of 60.000 s
    design merged  now is the last 10.0 s                      a storm is under way
     1 overview ─ 2 storms ─ 3 queue ─ 4 causes ─ 5 recording ──────────────────────
    2 storms  1 under way
      storm        begins      lasts    ranges  cause            who
    ▸     2       2.000 s  under way     1,234  ksm, fork        ksmd (68)
          1       1.000 s     750 ms     1,234  ksm, fork        ksmd (68)

    storm 2  from 2.000 s to now
    why a storm  ranges came too often
    causes       ksm 1,000, fork 234
    who          ksmd (68) 1,000
    over         vq 0 700, vq 1 534
    accesses     1,000: 100 hits, 900 fallbacks, 0 ambiguous
    each second  ▂█▃  at most 900







    Space pause  l live  t time  Enter open  / search  d design       ? help  q quit
    "
  `);
});

test('queue', () => {
  expect(
    screen({
      view: { queue: queueDetail(1) },
      state: { view: 'queue' },
      size: { columns: 140, rows: 40 },
    }),
  ).toMatchInlineSnapshot(`
    "
    vhostscope  trace.arrows  file, ended                                                                             ▸ 1x  12.345 s of 60.000 s
    design merged  now is the last 10.0 s                                                                                         179,142 events
     1 overview ─ 2 storms ─ 3 queue ─ 4 causes ─ 5 recording ──────────────────────────────────────────────────────────────────────────────────
    vq 1 dev 0/1 tx  256 entries of qemu-system-x86 (1001)
    per second  rounds 120  accesses 45.6k  heads 9.00k  invalidations 3
    addresses   desc 7f000000-7f000fff  avail 7f001000-7f001fff  used 7f002000-7f002fff

    maps  over the last 10.0 s: █ up, ▁ down, ▒ ambiguous, · no access
      desc  ██████████████████████████████████████████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒·····················█████████████████████
      avail ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁██████████████████████████████████████████
      used  ·········································································································█████████████████████
      avail down: a callback has removed the map
      used ambiguous: a range may still be under way

    merged                                                                accessors, in all
      hits now  99.00 %                                                     accessor           accesses  fallbacks  ambiguous             hits
      in all    99.99 % of 100,000: 10 fallbacks, 0 ambiguous               get_avail_idx         3,734          0          0         100.00 %
      maps      desc up, avail down, used ambiguous                         get_desc             83,128        128          0          99.84 %
      count     0…1
      invalidated  10                                                     attempts to map, in all
                                                                            mapped   120
    last ranges over its rings                                              refused  3
                at     lasted  cause                process
          12.250 s    4.20 µs  ksm                  ksmd (68)             whatever the design, in all
          12.300 s  under way  unmap                qemu-system-x86 (10…    rounds by the device IOTLB  1,200
                                                                            bits set for them           34,567
    callbacks under way
      range 7f000000-7f001000 entered 1.2 ms ago                          last events
                                                                                12.310 s  line 4711  round begins









    Space pause  l live  t time  d design  b beside                                                                               ? help  q quit
    "
  `);
});

test('maps are told over the time that there was', () => {
  const at = (ns: number): string =>
    screen({
      view: { queue: queueDetail(1), clock: { ...dashboardView().clock, at: ns } },
      state: { view: 'queue' },
    });
  expect(at(2.5e9)).toContain('maps  since the first event, 2.50 s ago: ');
  expect(at(10e9)).toContain('maps  over the last 10.0 s: ');
});

test('causes', () => {
  expect(screen({ state: { view: 'causes' } })).toMatchInlineSnapshot(`
    "
    vhostscope  trace.arrows  file, ended                 ▸ 1x  12.345 s of 60.000 s
    design merged  now is the last 10.0 s                             179,142 events
     1 overview ─ 2 storms ─ 3 queue ─ 4 causes ─ 5 recording ──────────────────────
    184 invalidations over rings  8 of 10 fallbacks are theirs  by fallbacks
    cause              process                  ranges      now  fallbacks   of them
    ksm                ksmd (68)                    92        7          4   50.00 %
    unmap              load (7)                     92        7          4   50.00 %















    Space pause  l live  t time  / search  o order  d design          ? help  q quit
    "
  `);
});

test('recording', () => {
  expect(screen({ state: { view: 'recording' }, size: { columns: 120, rows: 30 } }))
    .toMatchInlineSnapshot(`
      "
      vhostscope  trace.arrows  file, ended                                                         ▸ 1x  12.345 s of 60.000 s
      design merged  now is the last 10.0 s                                                                     179,142 events
       1 overview ─ 2 storms ─ 3 queue ─ 4 causes ─ 5 recording ──────────────────────────────────────────────────────────────
      complete                                                    lost
        not known yet: the recording says so as it ends             access  12

      recording                                                   left out by the filter in the kernel
        kernel         6.1.0-30-amd64                               ranges of other processes  4,000
        design driver  stock
                                                                  events
      how it is judged                                              access       170,000
        ranges: the trace grows                                     round_begin  1,540
        - no map outlives the process that owns the device
                                                                  probes
      this program                                                  event              sure         by
        kept to go back  all, in the file: 1.0 MB                   round_begin        sure         kprobe:handle_tx
        CPU              7.0 % of one
        memory           80.0 MB










      Space pause  l live  t time  d design  b beside                                                           ? help  q quit
      "
    `);
});

test('events wait where more may come, and not in a file that is all there', () => {
  const told = (kind: DashboardView['source']['kind']): string =>
    screen({
      state: { view: 'recording' },
      view: { source: { ...dashboardView().source, kind } },
      size: { columns: 160, rows: 40 },
    });
  expect(told('pipe')).toContain('waiting          120 events, the slowest CPU is 3.20 ms behind');
  expect(told('file')).not.toContain('waiting');
});

test('of a text it is not said that what can be gone back to is in its file', () => {
  const told = (isText: boolean): string =>
    screen({
      state: { view: 'recording' },
      view: { recording: { ...dashboardView().recording, isText } },
      size: { columns: 160, rows: 40 },
    });
  expect(told(false)).toContain('all, in the file: 1.0 MB');
  expect(told(true)).toContain('all, in a trace made of the text: 1.0 MB');
});
