/** The screen of the dashboard as text. */
import { renderToString } from 'ink';
import type { DashboardView } from '../src/dashboard.js';
import { Dashboard } from '../src/screen/Dashboard.js';
import { lookOf } from '../src/screen/look.js';
import type { ScreenSize } from '../src/screen/screen-size.js';
import { FIRST_STATE, type ScreenState } from '../src/screen/screen-state.js';
import { dashboardView } from './made-up-views.js';

const LOOK = lookOf({ LANG: 'C.UTF-8' }, 8);
export const ASCII = lookOf({ NO_COLOR: '1' }, 8);

export interface Shot {
  readonly view?: Partial<DashboardView>;
  readonly state?: Partial<ScreenState>;
  readonly size?: ScreenSize;
  readonly look?: typeof LOOK;
}

/** The screen with its colours. */
export function painted({
  view,
  state,
  size = { columns: 80, rows: 24 },
  look = LOOK,
}: Shot): string {
  return renderToString(
    <Dashboard
      view={dashboardView(view)}
      state={{ ...FIRST_STATE, ...state }}
      size={size}
      look={look}
      onKeys={undefined}
    />,
    { columns: size.columns },
  );
}

// oxlint-disable-next-line no-control-regex -- colours begin with one
export const COLOURS = /\u001b\[[0-9;]*m/g;

/** Without them, and without the blanks at its edge. */
export function screen(shot: Shot): string {
  return `\n${painted(shot)
    .replaceAll(COLOURS, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()}\n`;
}
