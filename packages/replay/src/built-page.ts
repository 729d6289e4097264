/** The page of a report as the build leaves it (rolldown.report-page.config.mjs). */
import { readFileSync } from 'node:fs';
import { ProgramError } from '@vhostscope/terminal';

export interface BuiltPage {
  /** With marks where policy, style, script and data go. */
  readonly html: string;
  readonly style: string;
  readonly script: string;
}

export function readBuiltPage(): BuiltPage {
  const read = (name: string): string => {
    try {
      // `dist` lies beside `src`, and this file in either.
      return readFileSync(new URL(`../dist/report-page/${name}`, import.meta.url), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new ProgramError(`the page of the report is not built: ${name} is missing`, {
        advice: 'run `npm start` in the repository',
      });
    }
  };
  return { html: read('page.html'), style: read('page.css'), script: read('page.js') };
}
