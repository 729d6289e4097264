import { expect, test } from 'vitest';
import { jsonDocument, jsonLine } from './json-document.js';
import { printable } from './printable.js';

/** Every code point, lone surrogates included. */
function everyCharacter(visit: (character: string, code: number) => void): void {
  for (let code = 0; code <= 0x10_ffff; code++) visit(String.fromCodePoint(code), code);
}

/** Code points that move the cursor, start a sequence, break a line or turn the direction of writing. */
function isHarmful(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0xad ||
    code === 0x61c ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xfeff ||
    (code >= 0xfff9 && code <= 0xfffb) ||
    (code >= 0xe_0000 && code <= 0xe_007f)
  );
}

test('no character that could harm a terminal gets through', { timeout: 30_000 }, () => {
  const through: string[] = [];
  everyCharacter((character, code) => {
    const text = printable(character);
    if (isHarmful(code) && !/^\\(?:x[0-9a-f]{2}|u\{[0-9a-f]{3,6}\})$/.test(text))
      through.push(code.toString(16));
    else if (text !== character && !text.startsWith('\\')) through.push(code.toString(16));
  });
  expect(through).toEqual([]);
});

test('what can be read stays as it is', () => {
  const text = 'ksmd vq 0 /tmp/Übung/ファイル/ملف \\ " 😀 e\u0301';
  expect(printable(text)).toBe(text);
});

test('what cannot is named', () => {
  expect(printable('a\u001b[31mb\nc\u0000\u009b\u202e\u2028\u{e0041}\ud800')).toBe(
    'a\\x1b[31mb\\x0ac\\x00\\x9b\\u{202e}\\u{2028}\\u{e0041}\\u{d800}',
  );
});

test('JSON holds nothing harmful either, and the same values', { timeout: 30_000 }, () => {
  let all = '';
  everyCharacter((character, code) => {
    if (code < 0x3_0000 || code >= 0xe_0000) all += character;
  });
  const value = { [all.slice(0, 9)]: [all] };
  for (const document of [jsonDocument(value), jsonLine(value)]) {
    const harmful = Array.from(document).filter(
      (character) => character !== '\n' && isHarmful(character.codePointAt(0) ?? 0),
    );
    expect(harmful).toEqual([]);
    expect(JSON.parse(document)).toEqual(value);
  }
  expect(jsonLine(value).indexOf('\n')).toBe(jsonLine(value).length - 1);
});
