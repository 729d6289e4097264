/** The screen of many hosts. */
import { Box } from 'ink';
import type { ReactElement } from 'react';
import type { HostsView } from '../hosts/hosts-view.js';
import { hostLines } from './host-lines.js';
import type { Look } from './look.js';
import { Keyboard, Rows } from './rows.js';
import { isTooSmall, tooSmallLines, type ScreenSize } from './screen-size.js';
import { lineOf, span, type Line } from './styled-line.js';
import { words } from './look.js';

export interface HostsProps {
  readonly view: HostsView;
  /** Name of the host that the keys act on; undefined is the first. */
  readonly chosen: string | undefined;
  /** Why a run could not be opened. */
  readonly refused: string | undefined;
  readonly size: ScreenSize;
  readonly look: Look;
  /** Undefined where there is no keyboard. */
  readonly onKeys: ((keys: readonly string[]) => void) | undefined;
}

const KEYS: Line = [
  ['Enter', 'open'],
  ['Up Down', 'choose'],
  ['Esc', 'back to here'],
  ['q', 'quit'],
].flatMap(([key, does], at) => [
  span(`${at === 0 ? '' : '  '}${key}`, 'strong'),
  span(` ${does}`, 'faint'),
]);

export function Hosts({ view, chosen, refused, size, look, onKeys }: HostsProps): ReactElement {
  const { columns: width, rows } = size;
  const foot = refused === undefined ? KEYS : lineOf(words(refused, look), 'bad');
  return (
    <Box flexDirection="column">
      {onKeys !== undefined && <Keyboard onKeys={onKeys} />}
      {isTooSmall(size) ? (
        <Rows lines={tooSmallLines(size)} height={rows - 1} width={width} look={look} />
      ) : (
        <>
          <Rows
            lines={hostLines(view, chosen, { width, height: rows - 2, look })}
            height={rows - 2}
            width={width}
            look={look}
          />
          <Rows lines={[foot]} height={1} width={width} look={look} />
        </>
      )}
    </Box>
  );
}
