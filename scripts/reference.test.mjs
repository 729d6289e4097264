// docs/reference/ is what the code says.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { referencePages } from './reference.mjs';
import { keysOf } from './schema-keys.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../docs/reference');

test('it is not stale: `npm run reference` writes it anew', { timeout: 120_000 }, async () => {
  const pages = await referencePages();
  expect(readdirSync(folder).toSorted()).toEqual([...pages.keys()].toSorted());
  for (const [name, text] of pages) {
    const path = join(folder, name);
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(text);
  }
});

test('the keys of a schema', () => {
  const schema = {
    type: 'object',
    properties: {
      a: { type: 'integer', description: 'ns' },
      list: { type: 'array', items: { $ref: '#/$defs/item' } },
      map: { type: 'object', additionalProperties: { enum: ['x', null] } },
      either: {
        anyOf: [
          { type: 'null' },
          { type: 'object', properties: { b: { const: 1 } }, required: ['b'] },
        ],
      },
    },
    required: ['a', 'list', 'map'],
    $defs: { item: { type: 'object', properties: { c: { type: ['string', 'null'] } } } },
  };
  expect(
    keysOf(schema).map(({ key, type, isOptional, doc }) => [key, type, isOptional, doc]),
  ).toEqual([
    ['a', 'integer', false, 'ns'],
    ['list', 'list of object', false, ''],
    ['list[].c', 'string or null', true, ''],
    ['map', 'object', false, ''],
    ['map.*', '"x", null', false, ''],
    ['either', 'null or object', true, ''],
    ['either.b', '1', false, ''],
  ]);
});
