import { expect, test } from 'vitest';
import { lookOf, safeName, words } from './look.js';
import { paint } from './paint.js';
import { span } from './styled-line.js';

test('signs are ASCII where the locale may not know others', () => {
  const isAscii = (env: Record<string, string>): boolean => lookOf(env, 8).isAscii;
  expect(isAscii({})).toBe(true);
  expect(isAscii({ LANG: 'C' })).toBe(true);
  expect(isAscii({ LANG: 'en_US.UTF-8' })).toBe(false);
  expect(isAscii({ LANG: 'C.utf8' })).toBe(false);
  expect(isAscii({ LC_ALL: 'C', LANG: 'en_US.UTF-8' })).toBe(true);
  expect(isAscii({ LC_ALL: '', LC_CTYPE: 'C.UTF-8', LANG: 'C' })).toBe(false);
});

test('colours are as many as the terminal has, and none where NO_COLOR asks for that', () => {
  expect([1, 4, 8, 24].map((depth) => lookOf({}, depth).colours)).toEqual([
    'none',
    '16',
    '256',
    '256',
  ]);
  expect(lookOf({ NO_COLOR: '1' }, 24).colours).toBe('none');
  expect(lookOf({ NO_COLOR: '' }, 24).colours).toBe('256');
});

test('a marked row is reversed; without colours nothing but bold, faint and reverse is used', () => {
  const line = [
    span('a', 'good'),
    span('b', 'bad'),
    span('', 'bad'),
    { text: 'c', tone: 'doubt', isMarked: true } as const,
    span('d'),
  ];
  expect(paint(line, { colours: '256' })).toBe(
    '\u001b[38;5;33ma\u001b[0m\u001b[38;5;166mb\u001b[0m\u001b[7mc\u001b[0md',
  );
  expect(paint(line, { colours: '16' })).toContain('\u001b[31mb');
  expect(paint(line, { colours: 'none' })).toBe('a\u001b[1mb\u001b[0m\u001b[7mc\u001b[0md');
});

test('names are harmless, and ASCII where they must be', () => {
  const utf8 = lookOf({ LANG: 'C.UTF-8' }, 8);
  const ascii = lookOf({}, 8);
  const name = 'a\u001b[2Jé\u202e';
  expect(safeName(name, utf8)).toBe('a\\x1b[2Jé\\u{202e}');
  expect(safeName(name, ascii)).toBe('a\\x1b[2J\\u{e9}\\u{202e}');
  expect(words('10…20 ≈ 1 µs', ascii)).toBe('10..20 ~ 1 us');
  expect(words('10…20', utf8)).toBe('10…20');
});
