/**
 * What get_user_pages would have said of the pages of a ring, at the beginning of each of its rounds: read from
 * the page tables themselves, by a program of bpftrace that knows nothing of the collector or the model.
 */
import type { Host } from '../../src/index.js';
import { ATTACHED_MS } from './patience.js';

/** Pages of each area that are looked at: enough for 1,024 entries, which begin with a page. */
const PAGES_OF_AREA = [4, 1, 3] as const;
const FIELDS = ['desc', 'avail', 'used'] as const;
const ADDRESS_BITS = '0x000ffffffffff000';

/** Prints the four entries that lead to each page of the ring, as they are. */
function program(): string {
  const page = (area: number, number: number): string => `
  $a = (uint64)$vq->${FIELDS[area]} + ${4096 * number};
  $pgd = *(uint64 *)($root + (($a >> 39) & 511) * 8);
  $pud = *(uint64 *)($base + ($pgd & ${ADDRESS_BITS}) + (($a >> 30) & 511) * 8);
  $pmd = *(uint64 *)($base + ($pud & ${ADDRESS_BITS}) + (($a >> 21) & 511) * 8);
  $pte = *(uint64 *)($base + ($pmd & ${ADDRESS_BITS}) + (($a >> 12) & 511) * 8);
  printf("T %llu %llx %d %d %llx %llx %llx %llx\\n", $t, (uint64)arg0, ${area}, ${number}, $pgd, $pud, $pmd, $pte);`;
  return `kprobe:vq_meta_prefetch {
  $t = nsecs;
  $vq = (struct vhost_virtqueue *)arg0;
  $root = (uint64)$vq->dev->mm->pgd;
  $base = *(uint64 *)kaddr("page_offset_base");${PAGES_OF_AREA.map((pages, area) =>
    Array.from({ length: pages }, (_, number) => page(area, number)).join(''),
  ).join('')}
}
`;
}

/** A page as get_user_pages_fast would find it. */
interface Page {
  readonly frame: bigint;
  /** Of 2 MiB, which begin with the frame. */
  readonly isHuge: boolean;
  readonly isReadable: boolean;
  readonly isWritable: boolean;
}

/** The pages of a ring when a round of it begins. */
export interface RoundTruth {
  /** ns, the clock of the trace. */
  readonly time: bigint;
  /** By area. */
  readonly pages: readonly (readonly Page[])[];
}

/** Rounds by the kernel address of their virtqueue, in the order of time. */
export type PageTableTruth = ReadonlyMap<bigint, readonly RoundTruth[]>;

/** Begins to look; the returned function ends it and tells what was seen. */
export async function watchPageTables(host: Host): Promise<() => Promise<PageTableTruth>> {
  const output = '/tmp/page-tables.txt';
  await host.run(`cat > /tmp/page-tables.bt <<'END'\n${program()}END`);
  let isReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const command = host.start(
    `__BPFTRACE_NOTIFY_PROBES_ATTACHED=1 BPFTRACE_PERF_RB_PAGES=1024 exec bpftrace /tmp/page-tables.bt > ${output}`,
    { onStderr: (bytes) => bytes.includes('PROBES_ATTACHED') && isReady(), timeout: ATTACHED_MS },
  );
  const failed = command.ended.then(({ stderr }) => {
    throw new Error(`bpftrace: ${stderr}`);
  });
  failed.catch(() => undefined);
  await Promise.race([ready, failed]);
  return async () => {
    command.signal('SIGINT');
    await command.ended;
    return readTruth((await host.readFile(output)).toString('latin1'));
  };
}

function readTruth(text: string): PageTableTruth {
  const rounds = new Map<bigint, Map<bigint, Page[][]>>();
  for (const line of text.split('\n')) {
    const [tag, time, vq, area, number, ...entries] = line.split(' ');
    if (tag !== 'T' || entries.length !== 4) continue;
    const ofVq = rounds.get(BigInt(`0x${vq}`)) ?? new Map<bigint, Page[][]>();
    rounds.set(BigInt(`0x${vq}`), ofVq);
    const pages = ofVq.get(BigInt(time ?? 0)) ?? [[], [], []];
    ofVq.set(BigInt(time ?? 0), pages);
    const areaPages = pages[Number(area)];
    if (areaPages !== undefined)
      areaPages[Number(number)] = pageOf(entries.map((e) => BigInt(`0x${e}`)));
  }
  return new Map(
    [...rounds].map(([vq, ofVq]) => [
      vq,
      [...ofVq]
        .map(([time, pages]) => ({ time, pages }))
        .toSorted((a, b) => Number(a.time - b.time)),
    ]),
  );
}

const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const HUGE = 0x80n;
/** Of an entry that leads to 4 KiB: the zero page and its like, which the fast walk refuses. */
const SPECIAL = 0x200n;
const FRAME = 0x000f_ffff_ffff_f000n;
const NO_PAGE: Page = { frame: 0n, isHuge: false, isReadable: false, isWritable: false };

/** x86-64 with four levels; a page of 1 GiB is not looked for, as nobody makes one here. */
function pageOf([pgd = 0n, pud = 0n, pmd = 0n, pte = 0n]: readonly bigint[]): Page {
  if ([pgd, pud, pmd].some((entry) => (entry & PRESENT) === 0n)) return NO_PAGE;
  const isHuge = (pmd & HUGE) !== 0n;
  const last = isHuge ? pmd : pte;
  const isReadable =
    (last & PRESENT) !== 0n && (last & USER) !== 0n && (isHuge || (last & SPECIAL) === 0n);
  return {
    frame: last & FRAME,
    isHuge,
    isReadable,
    isWritable: isReadable && (last & WRITABLE) !== 0n,
  };
}

const PAGE_BYTES = 4096n;

/** Whether the attempt of the merged design would have mapped an area of a size (reference §1.3). */
export function wouldMap(truth: RoundTruth, area: number, size: bigint): boolean {
  const wanted = Number((size + PAGE_BYTES - 1n) / PAGE_BYTES);
  const pages = truth.pages[area]?.slice(0, wanted) ?? [];
  if (size === 0n || pages.length < wanted) return false;
  return pages.every(
    (page, index) =>
      (area === 2 ? page.isWritable : page.isReadable) &&
      (index === 0 || follows(page, pages[index - 1] ?? NO_PAGE)),
  );
}

/** Whether it stands behind another in memory. No ring here goes from one huge page into another. */
function follows(page: Page, before: Page): boolean {
  if (page.isHuge || before.isHuge) return page.isHuge && page.frame === before.frame;
  return page.frame === before.frame + PAGE_BYTES;
}
