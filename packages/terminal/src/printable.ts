/**
 * Text from a traced host, made safe to print: everything but printable characters becomes `\xNN` or
 * `\u{N}`, so that no control sequence, line break or change of writing direction reaches a terminal.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{C}]|[\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
