/** The whole screen. Views are pure functions; here is only what says when they must be drawn again. */
import { Box } from 'ink';
import { useMemo, type ReactElement } from 'react';
import type { DashboardView } from '../dashboard.js';
import { causeLines, CAUSE_TITLE_LINES } from './cause-lines.js';
import { footLines } from './foot-line.js';
import { frameBetween, type Frame } from './frame.js';
import { headLines, tabLine } from './head-lines.js';
import { helpLines } from './help-lines.js';
import type { Look } from './look.js';
import { overviewLines } from './overview-lines.js';
import { paint } from './paint.js';
import { pickerLines } from './picker-lines.js';
import { queueLines } from './queue-lines.js';
import { recordingLines } from './recording-lines.js';
import { Keyboard, Row, Rows } from './rows.js';
import { isTooSmall, tooSmallLines, type ScreenSize } from './screen-size.js';
import type { ScreenState } from './screen-state.js';
import { scrolledLines } from './scrolled-lines.js';
import { stormLines } from './storm-lines.js';
import type { Line } from './styled-line.js';

export interface DashboardProps {
  readonly view: DashboardView;
  readonly state: ScreenState;
  readonly size: ScreenSize;
  readonly look: Look;
  /** Undefined where there is no keyboard. */
  readonly onKeys: ((keys: readonly string[]) => void) | undefined;
}

export function Dashboard({ onKeys, ...shown }: DashboardProps): ReactElement {
  return (
    <Box flexDirection="column">
      {onKeys !== undefined && <Keyboard onKeys={onKeys} />}
      <Screen {...shown} />
    </Box>
  );
}

type Shown = Omit<DashboardProps, 'onKeys'>;

function Screen({ view, state, size, look }: Shown): ReactElement {
  const { columns: width, rows } = size;
  const { source, clock, design, beside, pinning, window, wanted, storms } = view;
  const head = useMemo(
    () =>
      headLines(
        { source, clock, design, beside, pinning, window, wanted, storms },
        { width, look },
      ),
    [source, clock, design, beside, pinning, window, wanted, storms, width, look],
  );
  const foot = footLines(state, view, { width, look });
  const { height } = frameBetween(head, foot, size, look);
  const frame = useMemo(() => ({ width, height, look }), [width, height, look]);
  if (isTooSmall(size))
    return <Rows lines={tooSmallLines(size)} height={rows - 1} width={width} look={look} />;
  return (
    <>
      <Rows lines={head} height={head.length} width={width} look={look} />
      <Row text={paint(tabLine(state.view, { width, look }), look)} />
      <Body view={view} state={state} frame={frame} />
      <Rows lines={foot} height={foot.length} width={width} look={look} />
    </>
  );
}

interface BodyProps {
  readonly view: DashboardView;
  readonly state: ScreenState;
  readonly frame: Frame;
}

function Body({ view, state, frame }: BodyProps): ReactElement {
  if (state.isHelp)
    return <Scrolled lines={helpLines(frame)} scroll={state.helpScroll} frame={frame} />;
  if (state.picker !== undefined)
    return <Fixed lines={pickerLines(state.picker, view, frame)} frame={frame} />;
  switch (state.view) {
    case 'overview':
      return <Overview {...{ view, state, frame }} />;
    case 'storms':
      return <Storms {...{ view, state, frame }} />;
    case 'queue':
      return <Queue {...{ view, state, frame }} />;
    case 'causes':
      return <Causes {...{ view, state, frame }} />;
    case 'recording':
      return <Recording {...{ view, state, frame }} />;
  }
}

function Overview({ view, state, frame }: BodyProps): ReactElement {
  const { virtqueues, total, besideTotal, rates, design, beside, costReason } = view;
  const isSeeking = view.clock.seeking !== undefined;
  const { sort, isReversed, filter, search, vq } = state;
  const lines = useMemo(
    () =>
      overviewLines(
        { virtqueues, total, besideTotal, rates, design, beside, costReason, isSeeking },
        { sort, isReversed, filter, search, vq },
        frame,
      ),
    [
      virtqueues,
      total,
      besideTotal,
      rates,
      design,
      beside,
      costReason,
      isSeeking,
      sort,
      isReversed,
      filter,
      search,
      vq,
      frame,
    ],
  );
  return <Fixed lines={lines} frame={frame} />;
}

function Storms({ view: { storms }, state: { search, storm }, frame }: BodyProps): ReactElement {
  const lines = useMemo(
    () => stormLines(storms, { search, storm }, frame),
    [storms, search, storm, frame],
  );
  return <Fixed lines={lines} frame={frame} />;
}

function Queue({ view, state: { scroll }, frame }: BodyProps): ReactElement {
  const { queue, virtqueues, design, beside, window, clock } = view;
  const lines = useMemo(
    () => queueLines({ queue, virtqueues, design, beside, window, clock }, frame),
    [queue, virtqueues, design, beside, window, clock, frame],
  );
  return <Scrolled lines={lines} scroll={scroll} frame={frame} />;
}

function Causes({ view: { causes, total }, state, frame }: BodyProps): ReactElement {
  const { fallbacks } = total.total;
  const { search, causeSort, areCausesReversed, scroll } = state;
  const lines = useMemo(
    () => causeLines(causes, fallbacks, { search, causeSort, areCausesReversed }, frame),
    [causes, fallbacks, search, causeSort, areCausesReversed, frame],
  );
  return <Scrolled lines={lines} fixed={CAUSE_TITLE_LINES} scroll={scroll} frame={frame} />;
}

function Recording({
  view: {
    recording,
    source,
    clock: { keptUntil },
  },
  state: { scroll },
  frame,
}: BodyProps): ReactElement {
  const lines = useMemo(
    () => recordingLines(recording, source, keptUntil, frame),
    [recording, source, keptUntil, frame],
  );
  return <Scrolled lines={lines} scroll={scroll} frame={frame} />;
}

interface ScrolledProps {
  readonly lines: readonly Line[];
  /** Lines that stay above. */
  readonly fixed?: number;
  readonly scroll: number;
  readonly frame: Frame;
}

function Scrolled({ lines, fixed, scroll, frame }: ScrolledProps): ReactElement {
  return <Fixed lines={scrolledLines(lines, scroll, frame, fixed)} frame={frame} />;
}

/** Lines in all of the frame, so that what stands below keeps its place. */
function Fixed({
  lines,
  frame,
}: {
  readonly lines: readonly Line[];
  readonly frame: Frame;
}): ReactElement {
  return <Rows lines={lines} height={frame.height} width={frame.width} look={frame.look} />;
}
