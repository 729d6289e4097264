/** `replay designs`: the table of designs, or one row of it in full. */
import { DESIGNS, type Design, type DesignSwitches, type RateChange } from '@vhostscope/model';
import { EXIT, jsonDocument, tableLines, writeOut } from '@vhostscope/terminal';
import { z } from 'zod';
import { chosenDesigns } from './chosen-designs.js';
import { SWITCH_NAMES } from './design-file.js';
import { nameWithPins, pinsPages, PINS_MEANING } from './pinned-pages.js';
import { measuredRate } from './rate-words.js';
import { textColumn, wrapped } from './text-parts.js';

const change = z.object({ before: z.number(), after: z.number() }).nullable();

export const designsResultSchema = z.object({
  designs: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      source: z.string(),
      switches: z.record(z.string(), z.union([z.string(), z.boolean()])),
      /** Millions of packets per second, without the design and with it; null where none were published. */
      published_rates: z.object({ smap_on: change, smap_off: change }),
      rates_note: z.string().nullable(),
      /** Whether it pins the pages of a ring: that is what its hits cost. */
      pins_pages: z.boolean(),
      /** What is different and no switch says. */
      differs: z.array(z.string()),
    }),
  ),
});
export type DesignsResult = z.infer<typeof designsResultSchema>;

export interface DesignsOptions {
  readonly json?: boolean;
  readonly designFile?: string;
}

export async function designsCommand(
  name: string | undefined,
  { json, designFile }: DesignsOptions,
): Promise<number> {
  const designs = chosenDesigns(name ?? 'all', designFile);
  if (json === true) await writeOut(jsonDocument(designsResult(designs)));
  else
    await writeOut(
      `${(name === undefined ? listLines(designs) : designs.flatMap(rowLines)).join('\n')}\n`,
    );
  return EXIT.done;
}

export function designsResult(designs: readonly Design[] = DESIGNS): DesignsResult {
  return {
    designs: designs.map((design) => ({
      name: design.name,
      title: design.title,
      source: design.source,
      switches: Object.fromEntries(SWITCH_NAMES.map((name) => [name, design[name]])),
      published_rates: {
        smap_on: design.publishedRates?.smapOn ?? null,
        smap_off: design.publishedRates?.smapOff ?? null,
      },
      rates_note: design.ratesNote ?? null,
      pins_pages: pinsPages(design),
      differs: [...design.differs],
    })),
  };
}

/** "5.2→6.4", millions of packets per second. */
function rateText(rate: RateChange | undefined): string {
  return rate === undefined ? '–' : `${measuredRate(rate.before)}→${measuredRate(rate.after)}`;
}

function listLines(designs: readonly Design[]): string[] {
  const columns = ['design', 'SMAP on', 'SMAP off', 'source'].map(textColumn);
  const rows = designs.map((design) => [
    nameWithPins(design.name, pinsPages(design)),
    rateText(design.publishedRates?.smapOn),
    rateText(design.publishedRates?.smapOff),
    design.source,
  ]);
  return [
    ...tableLines(columns, rows),
    '',
    ...(designs.some(pinsPages) ? wrapped('pins: ', PINS_MEANING, '  ') : []),
    'SMAP on, off: published rates, millions of packets per second without the design and with it',
    'replay designs NAME tells the switches of one, --json those of all',
  ];
}

/** What a switch says of a design, for people; more in the table of designs. */
const SWITCH_MEANING: Readonly<Record<keyof DesignSwitches, string>> = {
  maps: 'when it maps: in each round, at set-up (and pins the pages), or never',
  faultsPagesIn: 'get_user_pages may fault pages in: one that is not there is no failure',
  needsContiguousPages: 'the pages have to follow each other, in low memory',
  filtersMemory: 'only anonymous memory, hugetlb and shmem is mapped',
  counter: 'invalidate_count: of each virtqueue, of all the process (mm), or none',
  resetsCountOnSetup: 'a set-up ioctl sets the count to 0',
  overlap: 'ranges that concern a ring: that touch it, that begin below it, or all',
  clears: 'when an invalidation takes the map: as it starts, or at the end of the round',
  refusesNonBlockable: 'when a range that must not block is answered -EAGAIN',
  keepsRangesOnFailedSetup: 'a set-up ioctl that fails leaves the ranges of the areas as they were',
  dropsMapsOn: 'which set-up ioctls drop the maps',
  needsPlainCaches: 'is not compiled where the architecture implements flush_dcache_page',
  dirties: 'when pages of the used ring are marked dirty',
};

function rowLines(design: Design): string[] {
  const { name, title, source, publishedRates, ratesNote, differs } = design;
  const width = Math.max(...SWITCH_NAMES.map((one) => one.length));
  const values = Math.max(...SWITCH_NAMES.map((one) => String(design[one]).length));
  return [
    ...wrapped('', `${name}: ${title}`),
    ...wrapped('source     ', source),
    ...wrapped(
      'published  ',
      publishedRates === undefined
        ? `no rates${ratesNote === undefined ? '' : `: ${ratesNote}`}`
        : `SMAP on ${rateText(publishedRates.smapOn)}, off ${rateText(publishedRates.smapOff)} M packets/s` +
            (ratesNote === undefined ? '' : `; ${ratesNote}`),
    ),
    ...(pinsPages(design) ? wrapped('pins       ', PINS_MEANING) : []),
    ...SWITCH_NAMES.flatMap((one) =>
      wrapped(
        `  ${one.padEnd(width)}  ${String(design[one]).padEnd(values)}  `,
        SWITCH_MEANING[one],
      ),
    ),
    ...differs.flatMap((one, at) => wrapped(at === 0 ? 'differs    - ' : '           - ', one)),
    '',
  ];
}
