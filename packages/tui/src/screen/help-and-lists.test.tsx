/** What is drawn over a view: the help, and the list of designs. */
import { expect, test } from 'vitest';
import { screen } from '../../test/drawn-dashboard.js';
import { judgement } from '../../test/made-up-views.js';

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
      vmap-v1 (pins)
    ▸ merged  shown
      fixes-v5
      copy













    Up and Down choose, Enter takes it, Esc leaves things as they are
    "
  `);
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
