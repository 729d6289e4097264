/** The screen of many hosts. */
import { Box } from 'ink';
import type { ReactElement } from 'react';
import type { Frame } from './frame.js';
import type { HostsView } from '../hosts/hosts-view.js';
import { hintLine } from './help-lines.js';
import { hostHelpLines } from './host-help-lines.js';
import { HOST_KEYS, type HostKey } from './host-keys.js';
import { hostLines } from './host-lines.js';
import { words, type Look } from './look.js';
import { Keyboard, Rows } from './rows.js';
import { isTooSmall, tooSmallLines, type ScreenSize } from './screen-size.js';
import { lineOf, spread, type Line } from './styled-line.js';

export interface HostsProps {
  readonly view: HostsView;
  /** Name of the host that the keys act on; undefined is the first. */
  readonly chosen: string | undefined;
  /** Why a run could not be opened. */
  readonly refused: string | undefined;
  readonly isHelp: boolean;
  readonly size: ScreenSize;
  readonly look: Look;
  /** Undefined where there is no keyboard. */
  readonly onKeys: ((keys: readonly string[]) => void) | undefined;
}

export function Hosts(shown: HostsProps): ReactElement {
  const { view, chosen, isHelp, size, look, onKeys } = shown;
  const { columns: width, rows } = size;
  // A screen that is full to its last row would scroll.
  const frame: Frame = { width, height: rows - 2, look };
  return (
    <Box flexDirection="column">
      {onKeys !== undefined && <Keyboard onKeys={onKeys} />}
      {isTooSmall(size) ? (
        <Rows lines={tooSmallLines(size)} height={rows - 1} width={width} look={look} />
      ) : (
        <>
          <Rows lines={isHelp ? hostHelpLines(frame) : hostLines(view, chosen, frame)} {...frame} />
          <Rows lines={[footLine(shown)]} height={1} width={width} look={look} />
        </>
      )}
    </Box>
  );
}

function footLine({ refused, isHelp, size: { columns: width }, look }: HostsProps): Line {
  if (isHelp) return lineOf('any key closes the help', 'faint');
  if (refused !== undefined) return lineOf(words(refused, look), 'bad');
  const hints = (wanted: HostKey['group']): Line =>
    hintLine(
      HOST_KEYS.filter(({ group }) => group === wanted),
      width,
    );
  return spread(hints('hosts'), hints('program'), width, look.glyphs.cut);
}
