/**
 * Looks at the page tables of a ring where a round begins, as a design's get_user_pages would (reference §1.3):
 * present, for user space, not special, and for the used ring writable. x86-64 with four levels.
 *
 * Most rounds do not look. One does when the pages of its rings may have changed: a range over them has ended, or
 * the ring was set up, since a look that found all pages there; and some times a second, so that a recording that
 * has just begun, or has lost lines, comes to know them. `@told` of a virtqueue is 0 while it was not told of,
 * 1 until such a look, and then its time. Pages come without a word, so a look that finds some missing is
 * repeated in every round; it is told when it finds something else than the one before.
 *
 * The end of a range is what counts: what changed in it has changed by then, and a look that began later sees it.
 * Where two CPUs end ranges at once the earlier time may stay in `@changed`, and the pages are looked at up to
 * LOOK_AGAIN_NS later: then they are not known for so long, but nothing wrong is.
 */
import { AREAS, PAGE_BYTES } from '@vhostscope/model';
import { LOOKED_AT_PAGES, type PlannedLooks } from '../probe-plan/page-look-plan.js';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { EVENT_IDX, sizeOfArea } from './area-size.js';
import { emitted } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { tellHeldRounds } from './held-rounds.js';
import { when, type Statement } from './program-text.js';

/** After that long a ring is looked at again, and what was found is told whether or not it is news. */
const LOOK_AGAIN_NS = 200_000_000;

/** What a look leaves behind; `@changed` is of an address space, the others of a virtqueue. */
export const LOOK_MAPS = ['@found', '@lookedAt'] as const;
const CHANGED = '@changed[$mm]';

/** Of an entry: where in physical memory that lies to which it leads. */
const ADDRESS = '0x000ffffffffff000';

/** The range, or flush, of the address space `$mm` is over. */
export function noteChange({ looks }: ProbePlan): Statement[] {
  return looks === undefined ? [] : [`${CHANGED} = nsecs;`];
}

/** The ring of `$address` is another: nothing of what was found of its pages holds. */
export function forgetLook({ looks }: ProbePlan): Statement[] {
  return looks === undefined ? [] : LOOK_MAPS.map((map) => `delete(${map}[$address]);`);
}

/**
 * Looks at the pages of `$vq` and tells what they are, if they may have changed; `$told` is its `@told`. It comes
 * first in its probe, and has hardly a branch: the verifier goes both ways of each, with all that comes after.
 */
export function lookAtPages(plan: ProbePlan): Statement[] {
  const { looks } = plan;
  if (looks === undefined) return [];
  return [
    '$mm = (uint64)$vq->dev->mm;',
    `$changed = ${CHANGED};`,
    ...when(
      `$told != 0 && ($told <= $changed || $told + ${LOOK_AGAIN_NS} < nsecs) && (uint64)$vq->iotlb == 0`,
      look(plan, looks),
    ),
  ];
}

/** What is found of an area takes so many bits of a word: see PLACES. */
const AREA_BITS = 20;

/** In those bits: pages of four counts, and whether they follow each other. */
const PLACES = { pagesGot: 0, pagesWritable: 4, pagesWanted: 8, hugePages: 12, contiguous: 16 };

function look(plan: ProbePlan, { memoryBase, encryption }: PlannedLooks): Statement[] {
  return [
    // Before the first page is looked at: what happens to it meanwhile comes after.
    '$when = nsecs;',
    `$base = *(uint64 *)kaddr("${memoryBase}");`,
    `$frames = (uint64)${ADDRESS};`,
    ...(encryption === undefined
      ? []
      : [`$frames = $frames & ~*(uint64 *)kaddr("${encryption}");`]),
    '$root = (uint64)$vq->dev->mm->pgd;',
    '$num = (uint64)$vq->num;',
    `$event = ((uint64)$vq->acked_features >> ${EVENT_IDX}) & 1;`,
    '$found = (uint64)0;',
    '$missing = (uint64)0;',
    ...AREAS.flatMap(lookAtArea),
    '$lookedAt = @lookedAt[$address];',
    ...when(
      `@found[$address] != $found || $lookedAt <= $changed || $lookedAt + ${LOOK_AGAIN_NS} < $when`,
      [
        '@found[$address] = $found;',
        '@lookedAt[$address] = $when;',
        ...tellHeldRounds(plan),
        ...AREAS.flatMap((_, number) => tellArea(number)),
      ],
    ),
    ...when('$missing == 0', ['@told[$address] = $when;']),
  ];
}

/** Puts what it finds into `$found`, and a bit that is not 0 into `$missing` where not all pages can be had. */
function lookAtArea(area: (typeof AREAS)[number], number: number): Statement[] {
  const most = LOOKED_AT_PAGES[area];
  const found = Object.entries({
    pagesGot: '$got',
    pagesWritable: '$writable',
    pagesWanted: '$pages',
    hugePages: '$large',
    contiguous: isZero('$gap | ($got ^ $pages)'),
  } satisfies Record<keyof typeof PLACES, string>).map(
    ([name, value]) => `(${value} << ${AREA_BITS * number + PLACES[name as keyof typeof PLACES]})`,
  );
  return [
    `$at = (uint64)$vq->${area};`,
    // As many as the design asks for; none of an area that is too large.
    `$pages = ((uint64)(${sizeOfArea(area)}) + ${PAGE_BYTES - 1}) / ${PAGE_BYTES};`,
    `$pages = $pages & (0 - (${isNegative(`$pages - ${most + 1}`)}));`,
    ...['$page', '$behind', '$got', '$writable', '$large', '$gap', '$isLater'].map(
      (name) => `${name} = (uint64)0;`,
    ),
    `unroll(${most}) {`,
    lookAtPage(),
    '}',
    `$missing = $missing | (${area === 'used' ? '$writable' : '$got'} ^ $pages);`,
    `$found = $found | ${found.join(' | ')};`,
  ];
}

/** 1 where a difference of what is not negative is, else 0; whether or not bpftrace shifts a sign. */
function isNegative(difference: string): string {
  return `((${difference}) >> 63) & 1`;
}

/** 1 where an expression is 0, else 0. */
function isZero(value: string): string {
  return `(1 ^ (${isNegative(`(${value}) | (0 - (${value}))`)}))`;
}

/** Tells what `$found` says of an area. */
function tellArea(number: number): Statement[] {
  const taken = (name: keyof typeof PLACES, mask = 15): string =>
    `($found >> ${AREA_BITS * number + PLACES[name]}) & ${mask}`;
  return emitted('rounds', [
    eventPrintf(
      'pages',
      {
        vq: '$address',
        area: String(number),
        pagesGot: taken('pagesGot'),
        pagesWanted: taken('pagesWanted'),
        contiguous: taken('contiguous', 1),
        hugePages: taken('hugePages'),
        pagesWritable: taken('pagesWritable'),
      },
      '$when',
    ),
  ]);
}

/**
 * One page, of which nothing comes where the area has no such page: from the root of the page tables to the entry
 * that says where it lies. Without a branch.
 */
function lookAtPage(): Statement[] {
  /** Where `follows` is 0, it leads to address 0, of which nothing can be read, and so to an entry that is 0. */
  const next = (entry: string, follows: string, bits: number): string =>
    `*(uint64 *)((0 - ${follows}) & ($base + (${entry} & $frames) + (($at >> ${bits}) & 511) * 8))`;
  /** 1 where an entry leads to a page, not to a table. */
  const isLarge = (entry: string): string => `(${entry} >> 7) & ${entry} & 1`;
  return [
    // 1 where it is one of the area.
    `$isOfArea = ${isNegative('$page - $pages')};`,
    '$upper = *(uint64 *)((0 - $isOfArea) & ($root + (($at >> 39) & 511) * 8));',
    `$upper = ${next('$upper', '($upper & 1)', 30)};`,
    `$isGiant = ${isLarge('$upper')};`,
    `$middle = ${next('$upper', '($upper & ~$isGiant & 1)', 21)};`,
    `$isHuge = ${isLarge('$middle')};`,
    `$lower = ${next('$middle', '($middle & ~$isHuge & 1)', 12)};`,
    '$entry = ((0 - $isGiant) & $upper) | ((0 - $isHuge) & $middle) | $lower;',
    // Bits of the address that a page of 1 GiB leaves to it, or one of 2 MiB.
    '$inside = ((0 - $isGiant) & 0x3ffff000) | ((0 - $isHuge) & 0x1ff000);',
    // Present, for user space, and not special.
    '$isThere = $entry & ($entry >> 2) & ~($entry >> 9) & 1;',
    '$got = $got + $isThere;',
    '$writable = $writable + ($isThere & ($entry >> 1));',
    '$large = $large + $isGiant + $isHuge;',
    '$frame = ($entry & $frames & ~$inside) | ($at & $inside);',
    '$gap = $gap | (($frame ^ $behind) & $isLater & (0 - $isOfArea));',
    '$isLater = ~(uint64)0;',
    `$behind = $frame + ${PAGE_BYTES};`,
    `$at = $at + ${PAGE_BYTES};`,
    '$page = $page + 1;',
    // Nobody reads it. Without it the compiler puts off adding up to the end, and its stack is too small for that.
    '@sum[cpu] = $got | ($writable << 8) | ($large << 16) | ($gap << 24);',
  ];
}
