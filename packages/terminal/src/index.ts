/** Manners of the programs. */
export { lengthOfTime, sizeInBytes } from './amounts.js';
export { choiceArgument, choiceOption } from './choices.js';
export { runCommandLine } from './command-line.js';
export { EXIT } from './exit-codes.js';
export { inOrder } from './in-order.js';
export { jsonDocument, jsonLine } from './json-document.js';
export { byteSize, counted, grouped, percent, seconds } from './numbers.js';
export { messageOf } from './message-of.js';
export { nearWords } from './near-words.js';
export { openPassingLine } from './passing-line.js';
export { printable } from './printable.js';
export { readBuild, versionLine, type ProgramBuild } from './program-build.js';
export { createProgressBar, type ProgressBar } from './progress-bar.js';
export { ProgramError, runProgram, say, writeOut } from './run-program.js';
export { isReaderGone } from './reader-gone.js';
export { runOut } from './run-out.js';
export { socketPathFlaw } from './socket-path.js';
export { tableLines, type TableColumn } from './text-table.js';
