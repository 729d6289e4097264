import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { QUIRKS } from '../src/index.js';
import { createCounts } from '../src/counts.js';

const root = new URL('../', import.meta.url);

it('the README names every type of message and every quirk', () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  for (const name of [...Object.keys(createCounts().messages), ...Object.keys(QUIRKS)]) {
    expect(readme).toContain(`\`${name}\``);
  }
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
