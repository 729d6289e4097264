import { readFileSync, readdirSync } from 'node:fs';
import { format } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { QUIRKS, createParser, parse } from '../src/index.js';
import { createCounts } from '../src/counts.js';

const root = new URL('../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

/** Runs a program of the README and returns what it prints. */
function runExample(code: string): string {
  const printed: string[] = [];
  const log = (...values: unknown[]): void => void printed.push(`${format(...values)}\n`);
  const body = code.replace(/^import .*\n/m, '');
  runInNewContext(body, { Buffer, parse, createParser, console: { log } });
  return printed.join('');
}

describe('README', () => {
  const examples = [...readme.matchAll(/```js\n(.*?)```\n\n```text\n(.*?)```/gs)];

  it('has examples', () => {
    expect(examples).toHaveLength(2);
  });

  it.each(examples.map(([, code, output]) => ({ code, output })))(
    'shows what example %# prints',
    ({ code, output }) => {
      expect(runExample(code)).toBe(output);
    },
  );

  it('names every type of message and every quirk', () => {
    for (const name of [...Object.keys(createCounts().messages), ...Object.keys(QUIRKS)]) {
      expect(readme).toContain(`\`${name}\``);
    }
  });
});

describe('package', () => {
  it('depends on nothing, and on nothing of Node', () => {
    const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    expect(manifest).not.toHaveProperty('dependencies');
    const sources = readdirSync(new URL('src/', root)).filter((name) => !name.endsWith('.test.ts'));
    for (const name of sources) {
      const source = readFileSync(new URL(`src/${name}`, root), 'utf8');
      const imports = [...source.matchAll(/from '(.*?)'/g)].map(([, from]) => from);
      expect(imports.filter((from) => !from.startsWith('./'))).toEqual([]);
      expect(source).not.toMatch(/\b(?:Buffer|process)\.|node:/);
    }
  });
});
