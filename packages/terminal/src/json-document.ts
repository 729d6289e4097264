/**
 * A value as the JSON document that `--json` prints. Names from a traced host may hold anything, and
 * JSON leaves much of it as it is: what `printable` replaces is escaped here, as JSON escapes it.
 */
export function jsonDocument(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  // Line breaks can only be our own: JSON escapes them within strings.
  return `${text.replace(/[^\P{C}\n]|[\u2028\u2029]/gu, escapeUnits)}\n`;
}

/** The same on one line, for streams of documents. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value).replace(/[^\P{C}]|[\u2028\u2029]/gu, escapeUnits)}\n`;
}

function escapeUnits(character: string): string {
  let escaped = '';
  for (let at = 0; at < character.length; at++)
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  return escaped;
}
