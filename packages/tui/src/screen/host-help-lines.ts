/** The help of the list of hosts: its keys, and what its columns say. */
import type { Frame } from './frame.js';
import { keyLines, WIDTH_FOR_TWO_COLUMNS } from './help-lines.js';
import { HOST_KEYS, type HostKey } from './host-keys.js';
import { words } from './look.js';
import { beside, type Line } from './styled-line.js';
import { inColumns, section, wrap } from './text-blocks.js';

const GROUPS: Readonly<Record<HostKey['group'], string>> = { hosts: 'hosts', program: 'program' };

const COLUMNS = [
  'rows: the worst first; of each host the run that goes on, or ended last',
  'hits now, in all: of its accesses of late, and since its run began',
  'rounds, access, inval: rounds, accesses and invalidations over rings, each second',
  'storms: in all; and, as "1 now", those that are under way',
  'whole: whether events are missing; ? while that is not known',
  "behind: how long ago the server got the run's last piece; at 42 %: so far it is read, and the numbers are of a moment that has gone by; waits: others are read first; cut: it ended before its recording did",
];

export function hostHelpLines({ width, look }: Omit<Frame, 'height'>): Line[] {
  const { cut } = look.glyphs;
  const columns = width >= WIDTH_FOR_TWO_COLUMNS ? 2 : 1;
  const each = Math.floor(width / columns) - 2;
  const keys = Object.entries(GROUPS).map(([group, title]) =>
    section(
      title,
      keyLines(
        HOST_KEYS.filter((one) => one.group === group),
        each - 2,
        cut,
      ),
    ),
  );
  const told = section(
    'columns',
    COLUMNS.flatMap((text) => wrap(words(text, look), each - 2)),
  );
  return inColumns([...keys, told], width, columns, (parts) => beside(parts, cut));
}
