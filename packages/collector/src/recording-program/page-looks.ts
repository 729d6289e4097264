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

/** Looks at the pages of `$vq` and tells what they are, if they may have changed. */
export function lookAtPages({ looks }: ProbePlan): Statement[] {
  if (looks === undefined) return [];
  return [
    '$mm = (uint64)$vq->dev->mm;',
    `$changed = ${CHANGED};`,
    '$told = @told[$address];',
    ...when(
      `($told <= $changed || $told + ${LOOK_AGAIN_NS} < nsecs) && (uint64)$vq->iotlb == 0`,
      look(looks),
    ),
  ];
}

function look({ memoryBase, encryption }: PlannedLooks): Statement[] {
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
    '$before = @found[$address];',
    '$lookedAt = @lookedAt[$address];',
    ...when(`$lookedAt <= $changed || $lookedAt + ${LOOK_AGAIN_NS} < $when`, [
      '$before = (uint64)0;',
    ]),
    '$found = (uint64)0;',
    '$isAll = (uint64)1;',
    ...AREAS.flatMap(lookAtArea),
    '@found[$address] = $found;',
    '@lookedAt[$address] = $when;',
    ...when('$isAll == 1', ['@told[$address] = $when;']),
  ];
}

/** Tells what it finds, unless `$before` says the same, and puts it into `$found`. */
function lookAtArea(area: (typeof AREAS)[number], number: number): Statement[] {
  const shift = 16 * number;
  return [
    `$at = (uint64)$vq->${area};`,
    // As many as the design asks for.
    `$pages = ((uint64)(${sizeOfArea(area)}) + ${PAGE_BYTES - 1}) / ${PAGE_BYTES};`,
    ...when(`$at != 0 && $pages <= ${LOOKED_AT_PAGES}`, [
      '$page = (uint64)0;',
      '$behind = (uint64)0;',
      '$got = (uint64)0;',
      '$writable = (uint64)0;',
      '$large = (uint64)0;',
      '$gap = (uint64)0;',
      '$isLater = (uint64)0;',
      `unroll(${LOOKED_AT_PAGES}) {`,
      when('$page < $pages', lookAtPage()),
      '}',
      '$follow = (uint64)0;',
      ...when('$gap == 0 && $got == $pages', ['$follow = (uint64)1;']),
      ...when(`${area === 'used' ? '$writable' : '$got'} < $pages`, ['$isAll = (uint64)0;']),
      `$now = $got | ($writable << 4) | ($pages << 8) | ($follow << 12) | 0x8000;`,
      `$found = $found | ($now << ${shift});`,
      ...when(
        `(($before >> ${shift}) & 0xffff) != $now`,
        emitted('rounds', [
          eventPrintf(
            'pages',
            {
              vq: '$address',
              area: String(number),
              pagesGot: '$got',
              pagesWanted: '$pages',
              contiguous: '$follow',
              hugePages: '$large',
              pagesWritable: '$writable',
            },
            '$when',
          ),
        ]),
      ),
    ]),
  ];
}

/**
 * One page: from the root of the page tables to the entry that says where it lies. Without a branch, for the
 * verifier would follow both ways of each, of every page.
 */
function lookAtPage(): Statement[] {
  /** Where `follows` is 0, it leads to address 0, of which nothing can be read, and so to an entry that is 0. */
  const next = (entry: string, follows: string, bits: number): string =>
    `*(uint64 *)((0 - ${follows}) & ($base + (${entry} & $frames) + (($at >> ${bits}) & 511) * 8))`;
  /** 1 where an entry leads to a page, not to a table. */
  const isLarge = (entry: string): string => `(${entry} >> 7) & ${entry} & 1`;
  return [
    '$upper = *(uint64 *)($root + (($at >> 39) & 511) * 8);',
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
    '$gap = $gap | (($frame ^ $behind) & $isLater);',
    '$isLater = ~(uint64)0;',
    `$behind = $frame + ${PAGE_BYTES};`,
    `$at = $at + ${PAGE_BYTES};`,
    '$page = $page + 1;',
  ];
}
