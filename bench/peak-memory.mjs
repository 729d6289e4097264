/**
 * Prints the peak memory of a Node process, in kB, on its last line of stderr. Not getrusage's, which
 * knows that of this process too, from before the program was loaded.
 */
export const PEAK_MEMORY = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync } from 'node:fs';
  process.on('exit', () => {
    const [, peak] = /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    process.stderr.write('\\n' + (peak ?? process.resourceUsage().maxRSS) + '\\n');
  });
`)}`;
