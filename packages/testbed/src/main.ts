import { runProgram } from '@vhostscope/terminal';
import { main } from './program.js';

await runProgram('testbed', () => main(process.argv));
