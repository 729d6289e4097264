// What a benchmark prints also stands in docs/performance.md, with the machine it was measured on: its block there is
// written anew at the end of each run.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

const PAGE = new URL('../docs/performance.md', import.meta.url);

/** @param {string} command - as it is run: `npm run bench` */
export function recordFigures(command) {
  let printed = '';
  return {
    /** Prints, and remembers. */
    print: (text) => {
      printed += `${text}\n`;
      process.stdout.write(`${text}\n`);
    },
    /** All is measured: it goes into the page. */
    save: () => writeFileSync(PAGE, withBlock(readFileSync(PAGE, 'utf8'), command, printed)),
  };
}

/** The page with the block of a command in place of the one that it has. */
export function withBlock(page, command, printed) {
  const [begin, end] = [`<!-- ${command} -->\n`, `<!-- end of ${command} -->\n`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no block of ${command}`);
  const block = `${measuredOn()}\n\n\`\`\`text\n${printed.trim()}\n\`\`\`\n`;
  return page.slice(0, from + begin.length) + block + page.slice(to);
}

function measuredOn() {
  const commit = execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=10'], {
    cwd: new URL('.', PAGE),
    encoding: 'utf8',
  }).trim();
  const all = cpus();
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, ${commit}: ${all.length} × ${all[0]?.model.trim()}, Linux ${release()}, Node ${process.version}`;
}
