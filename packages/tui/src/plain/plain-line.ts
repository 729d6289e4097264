/** The dashboard where there is no terminal: a line of text a second. */
import type { DashboardView } from '../dashboard.js';
import { designName } from '../screen/design-name.js';
import { count, hitRatio, lasting, moment, rate } from '../screen/figures.js';
import { UNICODE_GLYPHS } from '../screen/glyphs.js';
import { NOTABLY_BEHIND } from '../screen/head-lines.js';
import { safeName, words, type Look } from '../screen/look.js';

/** "12.000 s  merged 99.98 % now, 99.99 % in all  …"; files and pipes are read as UTF-8. */
export function plainLine(view: DashboardView): string {
  const { clock, rates, virtqueues, storms } = view;
  const designs = [
    [view.design, view.total] as const,
    ...(view.beside === undefined || view.besideTotal === undefined
      ? []
      : [[view.beside, view.besideTotal] as const]),
  ].map(
    ([name, { window, total }]) =>
      `${designName(name, view.pinning, LOOK)} ${hitRatio(window, UNICODE_GLYPHS)} now, ${hitRatio(total, UNICODE_GLYPHS)} in all`,
  );
  const worst = storms
    .filter(({ isOver }) => !isOver)
    .map(({ number, causes: [first] }) =>
      first === undefined ? `storm ${number}` : `storm ${number} of ${safeName(first[0], LOOK)}`,
    );
  const parts = [
    moment(clock.at),
    ...designs,
    `${count(virtqueues.length)} virtqueues`,
    `rounds ${rate(rates.rounds)}/s`,
    `accesses ${rate(rates.accesses)}/s`,
    `invalidations ${rate(rates.overlapping)}/s`,
    ...worst,
    ...(clock.behind < NOTABLY_BEHIND
      ? []
      : [`${lasting(clock.behind, UNICODE_GLYPHS)} behind what has come`]),
    ...notes(view),
  ];
  return `${parts.join('  ')}\n`;
}

function notes({ source }: DashboardView): string[] {
  const isSocket = source.kind === 'socket';
  const state = {
    waiting: [isSocket ? 'nobody listens yet' : 'not there yet'],
    gone: [isSocket ? 'the recording broke off' : 'cannot be read any more'],
    ended: [],
    reading: [],
  };
  return [
    ...state[source.state],
    ...(source.isEmpty ? ['empty so far'] : []),
    ...source.problems.slice(0, 1).map((problem) => `! ${words(problem, LOOK)}`),
  ];
}

const LOOK: Look = { glyphs: UNICODE_GLYPHS, colours: 'none', isAscii: false };
