/** `replay export --format parquet`: what DuckDB reads is what NDJSON has, and adds up to what replay run counts. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runResultSchema, type Decisions } from '../src/run-result.ts';
import { shell } from './child-process.ts';
import { query, type Row } from './duckdb.ts';
import { run, STOCK } from './export-cases.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();

async function exported(input: string, name: string, ...options: string[]): Promise<string> {
  const output = join(folder, name);
  const { code, out } = await replay('export', '-o', output, ...options, input);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  return output;
}

const DECISIONS = `sum(hits)::bigint hits, sum(fallbacks)::bigint fallbacks, sum(iotlb)::bigint iotlb,
  sum(ambiguous)::bigint ambiguous, sum(least)::bigint least, sum(most)::bigint most`;

describe.each([
  ...TRACES.map(({ name, path, design }) => [name, path, ['--design', design]] as const),
  ['s3 in ranges order', trace('s3').path, ['--order', 'ranges']] as const,
  ['a stock host', STOCK, []] as const,
])('%s', (_name, path, options) => {
  it('adds up, by virtqueue, to what replay run counts', async () => {
    const output = await exported(path, 'sums.parquet', ...options);
    const { virtqueues } = await run(...options, path);
    const found = await query(
      `select vq, ${DECISIONS} from '${output}' where least is not null group by vq order by vq`,
    );
    expect(found).toEqual(
      virtqueues
        .filter(({ totals }) => totals.accesses > 0)
        .toSorted((a, b) => a.id - b.id)
        .map(({ id, totals }) => ({
          vq: id,
          hits: String(totals.hits),
          fallbacks: String(totals.fallbacks),
          iotlb: String(totals.iotlb),
          ambiguous: String(totals.ambiguous),
          least: String(totals.spans?.accesses[0] ?? totals.accesses),
          most: mostOf(totals),
        })),
    );
  });
});

/** `run` has no bound where it would say nothing; the file has one for each round. */
function mostOf({ accesses, spans }: Decisions): unknown {
  if (spans === null) return String(accesses);
  const [, most] = spans.accesses;
  return most === null ? expect.stringMatching(/^\d+$/) : String(most);
}

interface Line {
  readonly kind: string;
  readonly decision?: string;
  readonly n?: number;
  readonly accesses?: readonly {
    readonly decision: string;
    readonly n: number;
    readonly least: number;
    readonly most: number | null;
  }[];
}

const COLUMN_OF: Readonly<Record<string, string>> = {
  hit: 'hits',
  fallback: 'fallbacks',
  iotlb: 'iotlb',
  ambiguous: 'ambiguous',
};

/** A line as the row that it should be. */
function rowOf({ accesses, ...line }: Line): Row {
  const counts: Record<string, number | null> = {};
  if (accesses !== undefined) {
    for (const name of [...Object.values(COLUMN_OF), 'least', 'most']) counts[name] = 0;
    for (const { decision, n, least, most } of accesses) {
      const name = COLUMN_OF[decision] ?? '';
      counts[name] = (counts[name] ?? 0) + n;
      counts['least'] = (counts['least'] ?? 0) + least;
      counts['most'] =
        counts['most'] === null || most === null ? null : (counts['most'] ?? 0) + most;
    }
  } else if (line.decision !== undefined) {
    for (const name of Object.values(COLUMN_OF)) counts[name] = 0;
    for (const name of [COLUMN_OF[line.decision] ?? '', 'least', 'most'])
      counts[name] = line.n ?? 0;
  }
  const texts = Object.entries({ ...line, ...counts }).filter(
    ([name, value]) => name !== 'judged' && value !== null,
  );
  return Object.fromEntries(texts.map(([name, value]) => [name, String(value)]));
}

it.each([
  ['u5', trace('u5').path, []],
  ['s3', trace('s3').path, ['--order', 'ranges']],
  ['a stock host', STOCK, []],
] as const)('every field of every event is that of NDJSON: %s', async (_name, path, options) => {
  const output = await exported(path, 'fields.parquet', ...options);
  const lines = readFileSync(await exported(path, 'fields.ndjson', ...options), 'latin1').split(
    '\n',
  );
  const rows = await query(`select * from '${output}'`);
  expect(rows).toHaveLength(lines.length - 1);
  const differing = rows.findIndex((row, i) => {
    const found = Object.entries(row).filter(([, value]) => value !== null);
    const expected = rowOf(JSON.parse(lines[i] ?? '') as Line);
    return (
      found.length !== Object.keys(expected).length ||
      found.some(([name, value]) => String(value) !== expected[name])
    );
  });
  expect(differing < 0 ? undefined : [rows[differing], lines[differing]]).toBeUndefined();
});

it('columns are the same whatever a trace holds, and the footer says how it was judged', async () => {
  const schemas: Row[][] = [];
  for (const [number, path] of [trace('u5').path, STOCK].entries()) {
    const output = await exported(path, `schema${number}.parquet`);
    schemas.push(await query(`describe select * from '${output}'`));
  }
  expect(schemas[0]).toEqual(schemas[1]);
  const types = Object.fromEntries(
    (schemas[0] ?? []).map((row) => [row['column_name'], row['column_type']]),
  );
  expect(types).toMatchObject({
    time: 'BIGINT',
    cpu: 'USMALLINT',
    kind: 'VARCHAR',
    address: 'UBIGINT',
    result: 'INTEGER',
    decision: 'VARCHAR',
    hits: 'BIGINT',
  });
  const [about] = await query(
    `select decode(value) v from parquet_kv_metadata('${join(folder, 'schema0.parquet')}')`,
  );
  expect(JSON.parse(String(about?.['v']))).toMatchObject({ design: 'merged', order: 'effects' });
});

it('several row groups, filters by time, and both recordings', async () => {
  const both = join(folder, 'both.arrows');
  writeTrace(both, [textOf('d1'), textOf('s3')]);
  const output = await exported(both, 'both.parquet');
  const [groups] = await query(
    `select count(distinct row_group_id) n from parquet_metadata('${output}')`,
  );
  expect(groups).toEqual({ n: '2' });
  const counted = await query(
    `select recording, count(*) n from '${output}' where kind = 'access' group by 1 order by 1`,
  );
  expect(counted).toEqual([
    { recording: 0, n: '179142' },
    { recording: 1, n: '13316' },
  ]);
  const window = 'time between 40786429335 and 40801769235 and recording = 1';
  const [some] = await query(`select count(*) n from '${output}' where ${window}`);
  const [other] = await query(
    `select count(*) n from (select time + 0 as time, recording from '${output}') where ${window}`,
  );
  expect(some).toEqual(other);
  expect(Number(some?.['n'])).toBeGreaterThan(0);
});

it('a torn trace, a hostile name, an empty one', async () => {
  const torn = join(folder, 'torn.arrows');
  writeTrace(torn, [textOf('d1')]);
  truncateSync(torn, readFileSync(torn).length >> 1);
  const [found] = await query(`select ${DECISIONS} from '${await exported(torn, 'torn.parquet')}'`);
  const { totals } = runResultSchema.parse(JSON.parse((await replay('run', '--json', torn)).out));
  expect(found).toMatchObject({ hits: String(totals.hits), least: String(totals.accesses) });

  const hostile = join(folder, 'hostile.txt');
  const name = `'; drop table x; --\\x1b[2J`;
  writeFileSync(
    hostile,
    textOf('s3').replaceAll(/vload(\\x00)*$/gm, () => name),
    'latin1',
  );
  const names = await query(`select distinct comm from '${await exported(hostile, 'h.parquet')}'`);
  expect(names).toContainEqual({ comm: name });

  const empty = join(folder, 'empty.txt');
  writeFileSync(empty, '');
  const { code, err } = await replay('export', '-o', join(folder, 'e.parquet'), empty);
  expect(code).toBe(2);
  expect(err).toMatch(/empty\.txt is empty/);
});

it('goes through a pipe, and a reader that leaves is no error', async () => {
  const whole = join(folder, 'piped.parquet');
  const command = `$REPLAY export -o - --format parquet '${trace('u5').path}'`;
  expect((await shell(`${command} > '${whole}'`)).code).toBe(0);
  expect(await query(`select count(*) n from '${whole}'`)).toEqual([{ n: '4819' }]);
  const { err } = await shell(`{ ${command}; echo "exit $?" >&2; } | true`);
  expect(err).toMatch(/^exit 0\n$|^replay: standard output: .*\nexit 0\n$/);
});
