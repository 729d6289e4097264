import { runProgram } from '@vhostscope/terminal';
import { main } from './program.js';

await runProgram('tui', () => main(process.argv));
