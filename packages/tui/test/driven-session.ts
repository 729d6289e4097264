/** Sessions, and the clock by which a test drives them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DESIGNS, findDesign, type Design } from '@vhostscope/model';
import { onTestFinished } from 'vitest';
import type { DashboardView, Session } from '../src/dashboard.ts';
import { createSession } from '../src/session/create-session.ts';
import {
  DEFAULT_KEEP,
  DEFAULT_WINDOW,
  type SessionOptions,
  type SourceOptions,
} from '../src/session/session-options.ts';

export function design(name: string): Design {
  const found = findDesign(name);
  if (found === undefined) throw new Error(`no design ${name}`);
  return found;
}

export function optionsFor(
  source: SourceOptions,
  other: Partial<SessionOptions> = {},
): SessionOptions {
  return {
    source,
    designs: DESIGNS,
    design: design('merged'),
    beside: undefined,
    preemption: undefined,
    stormRate: 100,
    window: DEFAULT_WINDOW,
    cost: { smap: undefined, calibrated: undefined },
    keep: DEFAULT_KEEP,
    ...other,
  };
}

export interface DrivenSession extends Session {
  /** ms pass. */
  pass(ms: number): void;
  /** Lets a jump come to its end; the view then. */
  settle(): DashboardView;
}

export function driven(session: Session): DrivenSession {
  let now = 0;
  const pass = (ms: number): void => {
    now += ms;
    session.advance(now, 1000);
  };
  return {
    ...session,
    pass,
    settle: () => {
      do pass(200);
      while (session.view().clock.seeking !== undefined);
      pass(200);
      return session.view();
    },
  };
}

export async function fileSession(
  path: string,
  other: Partial<SessionOptions> = {},
): Promise<DrivenSession> {
  return driven(await createSession(optionsFor({ kind: 'file', path }, other)));
}

/** It is closed behind the test. */
export async function openSource(
  source: SourceOptions,
  other: Partial<SessionOptions> = {},
): Promise<DrivenSession> {
  return closedBehindTest(await createSession(optionsFor(source, other)));
}

export function closedBehindTest(session: Session): DrivenSession {
  onTestFinished(async () => session.close());
  return driven(session);
}

/** Waits for what comes by itself, while `ms` pass at each look. */
export async function until(
  session: DrivenSession,
  isThere: (view: DashboardView) => boolean,
  ms = 20,
): Promise<DashboardView> {
  for (let tries = 0; tries < 900; tries++) {
    session.pass(ms);
    if (isThere(session.view())) return session.settle();
    await sleep(10);
  }
  const { source, clock } = session.view();
  throw new Error(
    `it did not come: ${JSON.stringify({ source, clock }, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
  );
}
