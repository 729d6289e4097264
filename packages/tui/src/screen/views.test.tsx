/** Every view as it stands on a screen. */
import * as fc from 'fast-check';
import { renderToString } from 'ink';
import { expect, test } from 'vitest';
import {
  cause,
  dashboardView,
  decided,
  judgement,
  queueDetail,
  storm,
  virtqueue,
} from '../../test/made-up-views.js';
import type { DashboardView } from '../dashboard.js';
import { cellWidth } from './cell-width.js';
import { Dashboard } from './Dashboard.js';
import { lookOf } from './look.js';
import type { ScreenSize } from './screen-size.js';
import { FIRST_STATE, type ScreenState } from './screen-state.js';
import { VIEW_NAMES } from './view-names.js';

const LOOK = lookOf({ LANG: 'C.UTF-8' }, 8);
const ASCII = lookOf({ NO_COLOR: '1' }, 8);

interface Shot {
  readonly view?: Partial<DashboardView>;
  readonly state?: Partial<ScreenState>;
  readonly size?: ScreenSize;
  readonly look?: typeof LOOK;
}

/** The screen with its colours. */
function painted({ view, state, size = { columns: 80, rows: 24 }, look = LOOK }: Shot): string {
  return renderToString(
    <Dashboard
      view={dashboardView(view)}
      state={{ ...FIRST_STATE, ...state }}
      size={size}
      look={look}
      onKeys={undefined}
    />,
    { columns: size.columns },
  );
}

// oxlint-disable-next-line no-control-regex -- colours begin with one
const COLOURS = /\u001b\[[0-9;]*m/g;

function screen(shot: Shot): string {
  return `\n${painted(shot)
    .replaceAll(COLOURS, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()}\n`;
}

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

test('help', () => {
  expect(screen({ state: { isHelp: true }, size: { columns: 100, rows: 44 } }))
    .toMatchInlineSnapshot(`
      "
      vhostscope  trace.arrows  file, ended                                     ▸ 1x  12.345 s of 60.000 s
      design merged  now is the last 10.0 s                                                 179,142 events
       1 overview ─ 2 storms ─ 3 queue ─ 4 causes ─ 5 recording ──────────────────────────────────────────
      views                                             lists
        1 2 3 4 5        overview, storms, queue,         Up k Down j      row up or down; in the queue
                         causes, recording                                 view, scroll
        Tab Right        next view                        PgUp PgDn        page up or down
        Shift-Tab Left   previous view                    Home g End G     first or last row
                                                          Enter            look at the virtqueue; go to
      time                                                                 the moment of the storm
        Space p          pause or play; what has ended    /                search names
                         plays again                      o                another order of virtqueues,
        l                follow the newest event                           of causes
        - + =            slower or faster, 0.1x to as     O                the other way round
                         fast as it goes                  f                virtqueues: all, or active,
        e E              event on, back                                    not all hits, invalidated,
        r R              round on, back                                    transmit
        i I              invalidation on, back
        s S              storm on, back                 program
        t                go to a time: 12.5s, 300ms,      w                write what was recorded to a
                         -3s from the end; to where                        new file
                         storm:2 is a storm               ? h              this help
        0 $              to the beginning, the end        Esc              close this, end the search,
                                                                           back to the overview or the
      designs and window                                                   hosts
        d                choose the design                q Ctrl-C         leave
        [ ]              previous or next design          Ctrl-Z           to the shell; fg comes back
        b                choose a second one, side by
                         side                           signs
        < >              window narrower or wider         DAu: the maps of desc, avail, used; capitals
                                                          are up, small ones down, ~ ambiguous, ? not
                                                          known
                                                          ≈: an estimate, as rounds of a stock host tell
                                                          no more; 10 % … 20 %: some accesses are
                                                          ambiguous
                                                          a design that is marked (pins): the price of
                                                          its hits is that the pages of every ring are
                                                          pinned: no migration, NUMA balancing, KSM,
                                                          huge pages or swap for them



      Up and Down scroll, any other key closes the help
      "
    `);
});

test('a list to choose a design from', () => {
  expect(screen({ state: { picker: { of: 'beside', index: 2 } } })).toMatchInlineSnapshot(`
    "
    vhostscope  trace.arrows  file, ended                 ▸ 1x  12.345 s of 60.000 s
    design merged  now is the last 10.0 s                             179,142 events
     1 overview ─ 2 storms ─ 3 queue ─ 4 causes ─ 5 recording ──────────────────────
    which design is to stand beside it?
      none  now
      vmap-v1
    ▸ merged  shown
      fixes-v5
      copy













    Up and Down choose, Enter takes it, Esc leaves things as they are
    "
  `);
});

test('without UTF-8 all is ASCII', () => {
  for (const view of VIEW_NAMES)
    expect(
      painted({
        look: ASCII,
        state: { view },
        view: {
          queue: queueDetail(1),
          source: { ...dashboardView().source, name: 'Übung.arrows' },
          virtqueues: [
            virtqueue(1, { chosen: judgement({ total: decided(1, 2, { ambiguous: 3 }) }) }),
          ],
        },
      }),
      // oxlint-disable-next-line no-control-regex -- the escape of bold, faint and reverse
    ).toMatch(/^[\n\u001b\u0020-\u007e]*$/);
});

test('empty sources, missing ones and those with problems are said, and nothing breaks', () => {
  const empty: Partial<DashboardView> = {
    virtqueues: [],
    storms: [],
    causes: [],
    total: judgement({ total: decided(0, 0), window: decided(0, 0), reasons: [], areas: [] }),
  };
  const source = {
    name: '/run/x.sock',
    kind: 'socket',
    problems: [],
    isEmpty: true,
    isStuck: false,
  } as const;
  expect(screen({ view: { ...empty, source: { ...source, state: 'waiting' } } })).toContain(
    '! nobody listens there yet',
  );
  expect(screen({ view: { ...empty, source: { ...source, state: 'reading' } } })).toContain(
    '! the socket is empty so far',
  );
  const opened = screen({ view: empty });
  expect(opened).toContain('no virtqueue yet: none was set up');
  const reading = screen({ view: { ...empty, clock: { ...dashboardView().clock, seeking: 0.4 } } });
  expect(reading).toContain('the trace is being read');
  expect(reading).not.toContain('none was set up');
  const gone = screen({
    view: {
      source: { ...source, isEmpty: false, state: 'gone', problems: ['12 events lost', 'b'] },
    },
  });
  expect(gone).toContain('! the recording broke off');
  expect(gone).toContain('! and 2 more: see the recording, 5');
  const long = `/a/name.arrows ${'is what it is and '.repeat(20)}`;
  const wrapped = screen({ view: { source: { ...source, state: 'ended', problems: [long] } } });
  expect(wrapped).toMatch(/\n! \/a\/name\.arrows is .*\n {2}it is and .*…\n/);
  for (const view of VIEW_NAMES)
    expect(
      screen({ state: { view }, view: { ...empty, source: { ...source, state: 'ended' } } }),
    ).toContain('the trace holds no event');
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

test('a storm under way, a jump, live and paused are told at the top', () => {
  const { clock } = dashboardView();
  const top = (view: Partial<DashboardView>): string =>
    screen({ view }).split('\n').slice(1, 3).join('\n');
  expect(top({ storms: [storm(1, { isOver: false })] })).toContain('a storm is under way');
  expect(top({ clock: { ...clock, seeking: 0.426 } })).toContain('going there 42 %');
  expect(top({ clock: { ...clock, isLive: true } })).toContain('● live  12.345 s');
  const behind = { ...clock, isLive: true, behind: 3.45e9 };
  expect(top({ clock: behind })).toContain('● live  12.345 s, 3.45 s behind');
  expect(top({ clock: { ...behind, behind: 0.9e9 } })).not.toContain('behind');
  expect(top({ clock: { ...clock, isPaused: true } })).toContain('■ paused  12.345 s of 60.000 s');
  expect(top({ clock: { ...clock, speed: 'max' } })).toContain('▸ as fast as it goes');
});

test('where what was kept ends is told at the top, and in the recording view', () => {
  const clock = { ...dashboardView().clock, keptUntil: 20.5e9 };
  const source = { ...dashboardView().source, kind: 'socket', state: 'reading' } as const;
  const shot = { view: { clock, source }, state: { view: 'recording' } } as const;
  expect(screen(shot)).toContain('12.345 s of 60.000 s, kept to 20.500 s');
  const live = { ...shot, view: { source, clock: { ...clock, isLive: true } } };
  expect(screen(live)).toContain('● live  12.345 s, kept to 20.500 s');
  const text = screen({ ...shot, size: { columns: 80, rows: 50 } }).replaceAll(/\s+/g, ' ');
  expect(text).toContain('--keep is used up: one can go to any moment up to 20.500 s;');
  expect(screen({ state: { view: 'recording' } })).not.toMatch(/kept to \d|used up/);
});

test('the last line: what is typed, what became of it, what can be pressed', () => {
  const last = (shot: Shot): string => screen(shot).trimEnd().split('\n').at(-1) ?? '';
  const prompt = { kind: 'jump', text: '12x' } as const;
  expect(last({ state: { prompt } })).toBe('go to: 12x');
  // What is wrong and what to do is told in full, on as many lines as that takes.
  const error = `go to takes a moment of the trace, not "12x": a moment is ${'12.5s or '.repeat(12)}storm:2`;
  const typed = screen({ state: { prompt: { ...prompt, error } } })
    .trimEnd()
    .split('\n');
  expect(typed).toHaveLength(24);
  expect(typed.slice(-4, -1).join(' ')).toBe(error);
  expect(typed.at(-1)).toBe('go to: 12x');
  // Of what is longer than the line, the end.
  expect(
    last({ state: { prompt: { kind: 'save', text: `/a/${'b'.repeat(90)}/c.arrows` } } }),
  ).toMatch(/^write to: …b+\/c\.arrows$/);
  const long = { number: 1, text: `why it is so: ${'words '.repeat(60)}`, isError: true };
  const told = screen({ view: { answer: long } })
    .trimEnd()
    .split('\n');
  expect(told).toHaveLength(24);
  expect(told.at(-4)).toMatch(/^why it is so/);
  expect(told.at(-1)).toMatch(/words w…$/);
  const answer = { number: 1, text: 'saved as a.arrows', isError: false };
  expect(last({ view: { answer } })).toBe('saved as a.arrows');
  expect(last({ view: { answer }, state: { answerSeen: 1 } })).toContain('? help');
  const saving = { path: '/tmp/a.arrows', progress: 0.559 };
  expect(last({ view: { saving } })).toBe('writing 55 %  /tmp/a.arrows');
  expect(last({ view: { saving }, state: { isLeaving: true } })).toBe(
    'writing 55 %  leaves when it is whole; Ctrl-C gives it up  /tmp/a.arrows',
  );
});

test('the keys at the bottom are those that do something', () => {
  const last = (state: Partial<ScreenState>): string =>
    screen({ state }).trimEnd().split('\n').at(-1) ?? '';
  expect(last({})).not.toContain('Esc');
  expect(last({ hasBack: true })).toMatch(/\? help {2}Esc hosts {2}q quit$/);
  // From another view Esc goes to the overview first; a search is ended before that.
  expect(last({ hasBack: true, view: 'storms' })).not.toContain('Esc');
  expect(last({ hasBack: true, search: 'vq' })).toContain('Esc all names');
  expect(last({ picker: { of: 'design', index: 0 } })).toBe(
    'Up and Down choose, Enter takes it, Esc leaves things as they are',
  );
});

test('a design that pins pages is marked where it is named, and the help says what that means', () => {
  const wanted = { design: 'vmap-v1', beside: undefined, window: 10e9 };
  const size = { columns: 160, rows: 60 };
  const view = { beside: 'copy', besideTotal: judgement() };
  expect(screen({ view: { ...view, design: 'vmap-v1' } })).toContain(
    'design vmap-v1 (pins)  beside',
  );
  expect(screen({ view: { ...view, beside: 'vmap-v1' } })).toContain('beside vmap-v1 (pins)  now');
  expect(screen({ view: { wanted }, size })).toContain('next vmap-v1 (pins)');
  const list = screen({ state: { picker: { of: 'design', index: 1 } } });
  expect(list).toContain('vmap-v1 (pins)');
  expect(list).not.toMatch(/(merged|copy) \(pins\)/);
  const help = screen({ state: { isHelp: true }, size }).replaceAll(/\s+/g, ' ');
  expect(help).toContain('a design that is marked (pins): the price of its hits is that the pages');
});

test('what was chosen and is on its way stands behind what is shown', () => {
  const second = (wanted: DashboardView['wanted']): string =>
    screen({ view: { wanted }, size: { columns: 120, rows: 24 } }).split('\n')[2] ?? '';
  const chosen = { design: 'merged', beside: undefined, window: 10e9 };
  expect(second(chosen)).toMatch(/^design merged {2}now is the last 10\.0 s {3}/);
  expect(second({ ...chosen, design: 'copy' })).toContain('last 10.0 s  next copy  ');
  expect(second({ design: 'copy', beside: 'fixes-v5', window: 30e9 })).toContain(
    'last 10.0 s  next copy, beside fixes-v5, 30.0 s  ',
  );
});

test('names of the host cannot do anything to the terminal', () => {
  const comm = '\u001b[2J\u001b]0;x\u0007\r\n\u009b1m\u202e';
  const causes: DashboardView['causes'] = [cause({ comm, cause: comm, className: undefined })];
  const view: Partial<DashboardView> = {
    source: {
      name: comm,
      kind: 'file',
      state: 'reading',
      problems: [comm],
      isEmpty: false,
      isStuck: false,
    },
    virtqueues: [
      virtqueue(1, { owner: { pid: 1, comm }, chosen: judgement({ reasons: [[comm, 1]] }) }),
    ],
    storms: [storm(1, { causes: [[comm, 1]], processes: [{ pid: 1, comm, ranges: 1 }] })],
    causes,
    queue: queueDetail(1, {
      callbacks: [comm],
      history: [{ at: 0, line: 1, what: comm }],
      attempts: [[comm, 1]],
      accessors: [{ name: comm, decided: decided(1, 0) }],
      ranges: queueDetail(1).ranges.map((one) => ({ ...one, comm, className: comm })),
    }),
    recording: {
      ...dashboardView().recording,
      facts: [[comm, comm]],
      assumptions: [comm],
      lost: [[comm, 1]],
      plan: [{ event: comm, way: comm, sureness: comm }],
    },
    design: comm,
    designs: [comm],
    wanted: { design: `${comm}x`, beside: comm, window: 1e9 },
    answer: { number: 1, text: comm, isError: true },
    saving: { path: comm, progress: 0 },
    costReason: comm,
  };
  for (const name of VIEW_NAMES) {
    for (const state of [
      { view: name },
      { view: name, search: comm },
      { view: name, answerSeen: 1 },
      { view: name, picker: { of: 'design', index: 0 } },
      { view: name, prompt: { kind: 'save', text: comm } },
    ] as const) {
      const text = painted({ view, state, size: { columns: 250, rows: 60 } }).replaceAll(
        COLOURS,
        '',
      );
      // oxlint-disable-next-line no-control-regex -- none of them may be there
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
    expect(painted({ view, state: { view: name }, size: { columns: 250, rows: 60 } })).toContain(
      '\\x1b[2J',
    );
  }
});

test('a terminal that is too small is told what is needed', () => {
  const size = { columns: 40, rows: 10 };
  expect(screen({ size })).toBe('\nneeds 80x24\nthis is 40x10\nq leaves\n');
});

test(
  'every view fills the screen but for a row, and no line is too long',
  { timeout: 120_000 },
  () => {
    const anySize = fc.record({
      columns: fc.integer({ min: 80, max: 250 }),
      rows: fc.integer({ min: 24, max: 60 }),
    });
    const anyState = fc.record({
      view: fc.constantFrom(...VIEW_NAMES),
      isHelp: fc.boolean(),
      scroll: fc.constantFrom(0, 3, Number.MAX_SAFE_INTEGER),
      search: fc.constantFrom('', 'vq', 'nothing like it'),
      vq: fc.option(fc.nat(255), { nil: undefined }),
    });
    const virtqueues = Array.from({ length: 256 }, (_, vq) =>
      virtqueue(vq, { beside: judgement({ total: decided(1, 1, { ambiguous: 1 }) }) }),
    );
    const storms = Array.from({ length: 40 }, (_, at) => storm(40 - at));
    const causes = Array.from({ length: 70 }, (_, pid) => cause({ pid }));
    const problems = ['a problem that takes many words to be told: '.repeat(9), 'b', 'c'];
    fc.assert(
      fc.property(anySize, anyState, fc.boolean(), (size, state, hasBeside) => {
        const view: Partial<DashboardView> = {
          virtqueues,
          storms,
          causes,
          queue: queueDetail(17),
          source: { ...dashboardView().source, problems },
          ...(hasBeside && { beside: 'copy', besideTotal: judgement() }),
        };
        const lines = painted({ view, state, size }).replaceAll(COLOURS, '').split('\n');
        expect(lines.length).toBe(size.rows - 1);
        for (const line of lines) expect(cellWidth(line)).toBeLessThanOrEqual(size.columns);
      }),
      { numRuns: 60 },
    );
  },
);
