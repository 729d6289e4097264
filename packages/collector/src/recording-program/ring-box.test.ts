/** Two CPUs widen the box of one address space, a step at a time in every order that there is. */
import { expect, test } from 'vitest';
import type { Statement } from './program-text.js';
import { mayTouchRings, widenBox } from './ring-box.js';

/** Of all CPUs, by name of map or variable. */
type Values = Readonly<Record<string, number>>;

interface Step {
  /** Of a condition, where it goes on when it does not hold. */
  readonly otherwise: number | undefined;
  readonly target: string | undefined;
  readonly value: (maps: Values, own: Values) => number;
}

/** An expression of the program. Keys are left out: there is one address space, and each CPU its own counts. */
function expression(text: string): Step['value'] {
  const js = text
    .replaceAll(/\(uint64\)/g, '')
    .replaceAll(/\[\w+\]|\[\$mm\]/g, '')
    .replaceAll(/[@$](\w+)/g, (name, word: string) =>
      name.startsWith('@') ? `(maps['${word}'] ?? 0)` : `own['${word}']`,
    )
    .replaceAll(/\b(nsecs|cpu)\b/g, "own['$1']");
  // oxlint-disable-next-line no-implied-eval -- the statements of the program, and nothing else
  return new Function('maps', 'own', `return Number(${js});`) as Step['value'];
}

/** The statements as steps. Between two of them another CPU may do anything. */
function stepsOf(statements: readonly Statement[]): Step[] {
  const steps: Step[] = [];
  const add = (target: string | undefined, value: Step['value'], otherwise?: number): number =>
    steps.push({ target, value, otherwise }) - 1;
  const jumpFrom = (at: number, to: number): void => {
    const step = steps[at];
    if (step !== undefined) steps[at] = { ...step, otherwise: to };
  };
  let open: number | undefined;
  for (const statement of statements) {
    if (typeof statement !== 'string') {
      const inner = stepsOf(statement);
      const base = steps.length;
      for (const step of inner)
        steps.push({ ...step, otherwise: step.otherwise && step.otherwise + base });
      continue;
    }
    const condition = /^if \((.*)\) \{$/.exec(statement)?.[1];
    const [, target = '', value] = /^([@$]\w+)\S* = (.*);$/.exec(statement) ?? [];
    if (statement.startsWith('//')) continue;
    if (condition !== undefined) open = add(undefined, expression(condition));
    else if (statement === '} else {') {
      const skip = add(undefined, () => 0);
      jumpFrom(open ?? 0, steps.length);
      open = skip;
    } else if (statement === '}') jumpFrom(open ?? 0, steps.length);
    else if (statement.endsWith('++;')) add('@counted', ({ counted = 0 }) => counted + 1);
    else if (value === undefined) throw new Error(`not understood: ${statement}`);
    else add(target, expression(value));
  }
  return steps;
}

interface State {
  readonly maps: Values;
  readonly cpus: readonly { readonly at: number; readonly own: Values }[];
  /** A range over a ring that was told of would have been left out. */
  readonly wasBlind: boolean;
}

const mayTouch = expression(mayTouchRings('$mm', '$start', '$end'));

function next(state: State, index: number, steps: readonly Step[]): State {
  const { maps, cpus } = state;
  const cpu = cpus[index] ?? { at: 0, own: {} };
  const { target, value, otherwise } = steps[cpu.at] ?? { value: () => 0 };
  const result = value(maps, cpu.own);
  const isJump = target === undefined && result === 0;
  const own =
    target?.startsWith('$') === true ? { ...cpu.own, [target.slice(1)]: result } : cpu.own;
  const after = target?.startsWith('@') === true ? { ...maps, [target.slice(1)]: result } : maps;
  const all = cpus.with(index, { at: isJump ? (otherwise ?? 0) : cpu.at + 1, own });
  const wasBlind =
    state.wasBlind ||
    all.some(
      ({ at, own: { ring = 0 } }) =>
        at >= steps.length && mayTouch(after, { start: ring, end: ring + 9 }) === 0,
    );
  return { maps: after, cpus: all, wasBlind };
}

function ends(rings: readonly number[]): State[] {
  const steps = stepsOf(widenBox([{ start: '$ring', bytes: '10' }]));
  const cpus = rings.map((ring, cpu) => ({ at: 0, own: { ring, cpu, nsecs: 5 } }));
  const seen = new Set<string>();
  const found: State[] = [];
  const waiting: State[] = [{ maps: { low: 100, high: 109 }, cpus, wasBlind: false }];
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    const key = JSON.stringify(state);
    if (seen.has(key)) continue;
    seen.add(key);
    const { cpus: now } = state;
    if (now.every(({ at }) => at >= steps.length)) found.push(state);
    for (const [index, { at }] of now.entries())
      if (at < steps.length) waiting.push(next(state, index, steps));
  }
  return found;
}

test.each([
  ['below', [50, 70]],
  ['above', [200, 300]],
  ['on both sides', [50, 300]],
  ['apart', [300, 50]],
])('a ring that the box lost is told as lost: %s', (_where, rings) => {
  const found = ends(rings);
  expect(found.length).toBeGreaterThan(1);
  for (const { maps, wasBlind } of found) {
    for (const ring of rings) expect(mayTouch(maps, { start: ring, end: ring + 9 })).toBe(1);
    if (wasBlind) expect(maps['counted']).toBeGreaterThan(0);
  }
});

test('one after the other, the box bounds as before', () => {
  const quiet = ends([50, 300]).filter(({ maps }) => maps['unbounded'] === undefined);
  expect(quiet).not.toEqual([]);
  for (const { maps } of quiet) expect(maps).toMatchObject({ low: 50, high: 309, widening: 0 });
});
