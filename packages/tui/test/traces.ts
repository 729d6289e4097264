/** Real recordings, and sessions on them. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DESIGNS, findDesign, type Design } from '@vhostscope/model';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  flushTrace,
} from '@vhostscope/trace';
import { afterAll } from 'vitest';
import type { DashboardView, Session } from '../src/dashboard.ts';
import { createSession } from '../src/session/create-session.ts';
import {
  DEFAULT_KEEP,
  DEFAULT_WINDOW,
  type SessionOptions,
  type SourceOptions,
} from '../src/session/session-options.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');

export const TRACES = {
  s3: join(REPOSITORY, 'examples/s3-resetup-under-storm.txt.gz'),
  /** More than is played at once. */
  f1: join(REPOSITORY, 'packages/replay/test/golden/f1-fixes-resetup-storm.txt.gz'),
  u1: join(REPOSITORY, 'packages/replay/test/golden/u1-mixed-q256.txt.gz'),
  stock: join(REPOSITORY, 'packages/replay/test/golden/stock/storm-q256.arrows.gz'),
} as const;

export function textOf(path: string): string {
  return gunzipSync(readFileSync(path)).toString('latin1');
}

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

export async function fileSession(
  path: string,
  other: Partial<SessionOptions> = {},
): Promise<DrivenSession> {
  return driven(await createSession(optionsFor({ kind: 'file', path }, other)));
}

/** A session and the clock by which it is driven. */
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

/** A folder for the tests of a file; it is removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tui test '));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Makes a trace file of a text; its bytes, and where each flush of it ended. */
export function writeTrace(
  path: string,
  text: string,
  flushes: number,
): { bytes: Uint8Array; ends: number[] } {
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['test'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  const importer = createTextImporter(writer, createImportReport());
  const lines = text.split(/(?<=\n)/);
  const ends: number[] = [];
  const part = Math.ceil(lines.length / flushes);
  for (let at = 0; at < lines.length; at += part) {
    importer.push(Buffer.from(lines.slice(at, at + part).join(''), 'latin1'));
    flushTrace(writer);
    ends.push(writer.bytes);
  }
  importer.end();
  closeTrace(writer);
  closeSync(fd);
  return { bytes: readFileSync(path), ends };
}
