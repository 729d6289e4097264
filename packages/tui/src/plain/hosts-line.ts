/** Many hosts where there is no terminal: a line of text a second. */
import { counted } from '@vhostscope/terminal';
import type { HostsView, HostView } from '../hosts/hosts-view.js';
import { designName } from '../screen/design-name.js';
import { count, hitRatio, lasting, rate } from '../screen/figures.js';
import { UNICODE_GLYPHS } from '../screen/glyphs.js';
import { safeName, words, type Look } from '../screen/look.js';

/** "2 hosts  merged  | web1 11.02 % now, 39.02 % in all  …": the worst host first; a bar before each. */
export function hostsLine(view: HostsView): string {
  const { hosts, design, pinning, leftOut, most, isListed, problems } = view;
  const parts = [
    isListed ? counted(hosts.length, 'host') : 'asking which runs there are',
    designName(design, pinning, LOOK),
    ...hosts.map(hostPart),
    ...(leftOut.length === 0
      ? []
      : [`| ${counted(leftOut.length, 'host')} left out, as ${most} are followed at most`]),
    ...problems.slice(0, 1).map((problem) => `! ${words(problem, LOOK)}`),
  ];
  return `${parts.join('  ')}\n`;
}

function hostPart(host: HostView): string {
  const name = safeName(host.host, LOOK);
  if (host.state === 'waiting') return `| ${name} waits until others are read`;
  const { rates, window, total, stormsUnderWay, storms, complete, problems } = host;
  return [
    `| ${name} ${hitRatio(window, UNICODE_GLYPHS)} now, ${hitRatio(total, UNICODE_GLYPHS)} in all`,
    `rounds ${rate(rates.rounds)}/s`,
    `accesses ${rate(rates.accesses)}/s`,
    `invalidations ${rate(rates.overlapping)}/s`,
    stormsUnderWay > 0
      ? `${counted(stormsUnderWay, 'storm')} under way of ${count(storms)}`
      : counted(storms, 'storm'),
    `complete: ${complete}`,
    stateOf(host),
    ...problems.slice(0, 1).map((problem) => `! ${words(problem, LOOK)}`),
  ].join('  ');
}

function stateOf({ state, share, age }: HostView): string {
  if (state === 'reading') return `read up to ${Math.floor(share * 100)} %`;
  const behind = lasting(age * 1e6, UNICODE_GLYPHS);
  return state === 'under way' ? `${behind} behind` : `${state} ${behind} ago`;
}

const LOOK: Look = { glyphs: UNICODE_GLYPHS, colours: 'none', isAscii: false };
