import { runProgram } from '@vhostscope/terminal';
import { main } from './program.js';

await runProgram('replay', () => main(process.argv));
