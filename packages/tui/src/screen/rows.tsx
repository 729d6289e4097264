/** What every screen is made of: rows of cells, and the keys that are pressed. */
import { Text, useInput } from 'ink';
import { createContext, memo, useContext, type ReactElement } from 'react';
import type { Look } from './look.js';
import { paint } from './paint.js';
import { pressedKeys } from './pressed-keys.js';
import { fitLine, type Line } from './styled-line.js';

export function Keyboard({ onKeys }: { readonly onKeys: (keys: readonly string[]) => void }): null {
  useInput((input, key) => onKeys(pressedKeys(input, key)));
  return null;
}

interface RowsProps {
  readonly lines: readonly Line[];
  readonly height: number;
  readonly width: number;
  readonly look: Look;
}

export const Rows = memo(function Rows({ lines, height, width, look }: RowsProps): ReactElement {
  return (
    <>
      {Array.from({ length: Math.max(0, height) }, (_, at) => (
        <Row key={at} text={paint(fitLine(lines[at] ?? [], width, look.glyphs.cut), look)} />
      ))}
    </>
  );
});

/** What Ink draws for a row: by default the row itself. */
export const RowSigns = createContext((row: string) => row);

/** Ink gives an empty text no line. */
export const Row = memo(function Row({ text }: { readonly text: string }): ReactElement {
  const signFor = useContext(RowSigns);
  return <Text wrap="truncate">{signFor(text === '' ? ' ' : text)}</Text>;
});
