/** What of the manners needs no terminal and no Node: a page in a browser uses it too. */
export { byteSize, counted, grouped, percent } from './numbers.js';
export { printable } from './printable.js';
export { duration, seconds } from './times.js';
