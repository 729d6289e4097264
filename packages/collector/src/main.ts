import { runProgram } from '@vhostscope/terminal';
import { main } from './program.js';

await runProgram('collector', () => main(process.argv));
