/** The screen of many hosts, as it stands on a terminal. */
import * as fc from 'fast-check';
import { renderToString } from 'ink';
import { expect, test } from 'vitest';
import { hostsView, hostView } from '../../test/made-up-hosts.js';
import { decided } from '../../test/made-up-views.js';
import type { HostsView } from '../hosts/hosts-view.js';
import { cellWidth } from './cell-width.js';
import { Hosts } from './Hosts.js';
import { lookOf } from './look.js';

const LOOK = lookOf({ LANG: 'C.UTF-8' }, 8);
const ASCII = lookOf({ NO_COLOR: '1' }, 8);

interface Shot {
  readonly view?: Partial<HostsView>;
  readonly chosen?: string;
  readonly refused?: string;
  readonly isHelp?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly look?: typeof LOOK;
}

// oxlint-disable-next-line no-control-regex -- colours begin with one
const COLOURS = /\u001b\[[0-9;]*m/g;

function lines({
  view,
  chosen,
  refused,
  isHelp = false,
  columns = 80,
  rows = 24,
  look = LOOK,
}: Shot): string[] {
  return renderToString(
    <Hosts
      view={hostsView(view)}
      chosen={chosen}
      refused={refused}
      isHelp={isHelp}
      size={{ columns, rows }}
      look={look}
      onKeys={undefined}
    />,
    { columns },
  )
    .replaceAll(COLOURS, '')
    .split('\n');
}

function screen(shot: Shot): string {
  return `\n${lines(shot)
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()}\n`;
}

test('hosts, one row each, and the chosen one in full', () => {
  expect(screen({})).toMatchInlineSnapshot(`
    "
    vhostscope  nats://lab:4222  server                                      4 hosts
    design merged  now is the last 10.0 s of each                 1 host in a storm

      host                hits now  rounds  access   inval  storms  whole     behind
    ▸ web1           45.87…54.12 %     240   91.2k       6   3 now  no        312 ms
      web2                 99.00 %     240   91.2k       6       0  ?         312 ms
      db                   99.00 %     240   91.2k       6       0  ?        at 42 %
      old                  99.00 %     240   91.2k       6       0  yes     finished

    web1
    run       20261128T051949Z-07a760a0, under way; its last piece came 312 ms ago
    hits now  45.87…54.12 % of 109 accesses in the last 10.0 s
    in all    99.99 % of 100,000 accesses
    complete  no
    clock     its difference to the server's is known to 412 µs
    ! web1/1: 12 events are missing (and 1 more: Enter)






    Enter open                                                        ? help  q quit
    "
  `);
});

test('a wide screen has more columns; what was left out is told', () => {
  expect(screen({ columns: 130, chosen: 'old', view: { leftOut: ['x', 'y\u001b[31m'], most: 4 } }))
    .toMatchInlineSnapshot(`
      "
      vhostscope  nats://lab:4222  server                                                                                        4 hosts
      design merged  now is the last 10.0 s of each                                                                   1 host in a storm

        host                            hits now     hits in all               of late  rounds  access   inval  storms  whole     behind
        web1                       45.87…54.12 %         99.99 %                ██▄ ▇█     240   91.2k       6   3 now  no        312 ms
        web2                             99.00 %         99.99 %                ██▄ ▇█     240   91.2k       6       0  ?         312 ms
        db                               99.00 %         99.99 %                ██▄ ▇█     240   91.2k       6       0  ?        at 42 %
      ▸ old                              99.00 %         99.99 %                ██▄ ▇█     240   91.2k       6       0  yes     finished
      2 hosts left out, as 4 are followed at most: x, y\\x1b[31m

      old
      run       20261128T051949Z-07a760a0, finished 300 s ago
      hits now  99.00 % of 1,000 accesses in the last 10.0 s
      in all    99.99 % of 100,000 accesses
      complete  yes
      clock     how far it is from the server's was not measured






      Enter open                                                                                                          ? help  q quit
      "
    `);
});

test('the help of its keys and columns fits on the least screen', () => {
  expect(screen({ isHelp: true })).toMatchInlineSnapshot(`
    "
    hosts                                   columns
      Enter            open the run of the    rows: the worst first; of each host
                       host: the dashboard    the run that goes on, or ended last
                       of it alone            hits now, in all: of its accesses of
      Up k Down j      row up or down         late, and since its run began
      PgUp PgDn        page up or down        rounds, access, inval: rounds,
      Home g End G     first or last row      accesses and invalidations over
                                              rings, each second
    program                                   storms: in all; and, as "1 now",
      ? h              this help              those that are under way
      Esc              close this; from a     whole: whether events are missing; ?
                       run that was           while that is not known
                       opened, back to        behind: how long ago the server got
                       here                   the run's last piece; at 42 %: so
      q Ctrl-C         leave                  far it is read, and the numbers are
      Ctrl-Z           to the shell; fg       of a moment that has gone by; waits:
                       comes back             others are read first; cut: it ended
                                              before its recording did




    any key closes the help
    "
  `);
});

test('a design that pins pages is marked', () => {
  expect(screen({ view: { design: 'vmap-v1' } })).toContain('design vmap-v1 (pins)  now');
});

test('nothing to show, and why', () => {
  expect(screen({ view: { hosts: [], isListed: false } })).toContain('asking the server');
  const none = screen({ view: { hosts: [], problems: ['the connection to the server is cut'] } });
  expect(none).toContain('no host has a run under way');
  expect(none).toContain('! the connection to the server is cut');
});

test('a run that could not be opened says why instead of the keys', () => {
  const shown = screen({ refused: 'no room on the disk' });
  expect(shown).toContain('no room on the disk');
  expect(shown).not.toContain('quit');
});

test('of more hosts than fit, the chosen one is seen', () => {
  const hosts = Array.from({ length: 32 }, (_, at) => hostView(`host${at}`));
  for (const chosen of ['host0', 'host17', 'host31'])
    expect(screen({ view: { hosts }, chosen })).toMatch(new RegExp(`^▸ ${chosen} `, 'm'));
});

test('whatever a host is called, each row has its place and nothing moves the cursor', () => {
  const anyName = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
  const anyHost = fc.record({
    host: anyName,
    run: anyName,
    problems: fc.array(anyName, { maxLength: 2 }),
    state: fc.constantFrom('waiting', 'reading', 'under way', 'finished', 'cut' as const),
    window: fc
      .tuple(fc.nat(), fc.nat(), fc.nat())
      .map(([hits, fallbacks, ambiguous]) =>
        decided(hits, fallbacks, { ambiguous, isEstimated: true }),
      ),
    age: fc.double({ min: 0, max: 1e9, noNaN: true }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(
      fc.array(anyHost, { maxLength: 40 }),
      fc.array(anyName, { maxLength: 3 }),
      fc.integer({ min: 80, max: 200 }),
      fc.integer({ min: 24, max: 50 }),
      fc.boolean(),
      (hosts, leftOut, columns, rows, isAscii) => {
        const view = { hosts: hosts.map(({ host, ...over }) => hostView(host, over)), leftOut };
        const shown = lines({ view, columns, rows, look: isAscii ? ASCII : LOOK });
        expect(shown).toHaveLength(rows - 1);
        for (const line of shown) {
          expect(cellWidth(line)).toBeLessThanOrEqual(columns);
          // oxlint-disable-next-line no-control-regex -- that is what is looked for
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
          if (isAscii) expect(line).toMatch(/^[ -~]*$/);
        }
      },
    ),
    { numRuns: 40 },
  );
});
