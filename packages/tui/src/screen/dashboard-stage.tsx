/** The dashboard of one run on a terminal: keys to commands, the session's numbers to what is drawn. */
import type { ReactElement } from 'react';
import { isBusy } from '../busy-session.js';
import type { DashboardView, Session } from '../dashboard.js';
import { Dashboard } from './Dashboard.js';
import { farewellOf } from './farewell.js';
import { footLines } from './foot-line.js';
import { frameBetween } from './frame.js';
import { headLines } from './head-lines.js';
import type { Look } from './look.js';
import { pressKey } from './press-key.js';
import { askAgain, type ReadJump } from './prompts.js';
import type { ScreenSize } from './screen-size.js';
import { FIRST_STATE, type ScreenState } from './screen-state.js';
import { lastScroll } from './scrolled-lines.js';
import type { Stage } from './stage.js';

export interface DashboardStageOptions {
  readonly look: Look;
  readonly readJump: ReadJump;
  /** It was opened from a list: where nothing else is to be closed, that is gone back to. */
  readonly hasBack: boolean;
}

export function createDashboardStage(
  session: Session,
  { look, readJump, hasBack }: DashboardStageOptions,
): Stage {
  let state: ScreenState = { ...FIRST_STATE, hasBack };
  /** What stood on the screen last. */
  let drawn: DashboardView | undefined;
  let isOver = false;

  /** As the view is drawn now. */
  const furthest = (of: ScreenState, size: ScreenSize): number => {
    const view = session.view();
    const room = { width: size.columns, look };
    const [head, foot] = [headLines(view, room), footLines(of, view, room)];
    return lastScroll(view, of, frameBetween(head, foot, size, look));
  };
  /** What was waited for is written, or could not be: then people are to see why. */
  const leaveSaved = (): void => {
    state = { ...state, isLeaving: false };
    isOver = session.view().saved?.isError !== true;
  };

  return {
    advance: (now, budget) => {
      const isChanged = session.advance(now, budget);
      if (state.isLeaving && session.view().saving === undefined) leaveSaved();
      return isChanged;
    },
    get isBusy() {
      return isBusy(session.view());
    },
    get isOver() {
      return isOver;
    },
    draw: (size, onKeys): ReactElement => {
      drawn = session.view();
      return <Dashboard view={drawn} state={state} size={size} look={look} onKeys={onKeys} />;
    },
    press: (key, size) => {
      const pressed = pressKey(state, key, {
        view: session.view(),
        page: Math.max(1, size.rows - 8),
        lastScroll: (of) => furthest(of, size),
        readJump,
      });
      state = pressed.state;
      for (const command of pressed.commands) {
        session.tell(command);
        const { answer } = session.view();
        const isNew = answer !== undefined && answer.number > state.answerSeen;
        if (command.do === 'save' && isNew && answer.isError)
          state = askAgain(state, 'save', command.path, answer);
      }
      return pressed.leave;
    },
    farewell: () => farewellOf(session.view(), drawn),
  };
}
