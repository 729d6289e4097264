// Part of `pnpm build`, behind what is built, as a cached build does not know at which commit it is.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBuildNotes } from './run/build-note.mjs';

writeBuildNotes(join(dirname(fileURLToPath(import.meta.url)), '..'));
