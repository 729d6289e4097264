/** Inputs of an import that a test writes itself. */
import { writeFileSync } from 'node:fs';

/** Writes it, and returns its name; a text is of bytes. */
export function file(name: string, content: string | Uint8Array): string {
  writeFileSync(name, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return name;
}

/** A recording of three events. */
export const SMALL = '# vhost-oracle 1\nN 5 0 1000 1 0\nM 6 0 1010\nA 8 0 1010 1 1 1\n';
