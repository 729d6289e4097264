/** Loaded before a program: SIGINT comes as it reads a file for the n-th time, while nothing can be told of it. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const nth = Number(process.env['SIGNAL_AT_READ']);
const { readSync } = fs;
let reads = 0;
fs.readSync = (...args) => {
  if (++reads === nth) process.kill(process.pid, 'SIGINT');
  return readSync(...args);
};
syncBuiltinESMExports();
