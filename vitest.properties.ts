/**
 * Property tests draw their executions anew each time they run, so that every run of a developer searches further.
 * In continuous integration they draw the same ones, so that a commit which passed passes again, and one which fails
 * does so because of what it changed. `PROPERTY_SEED` draws any others, there and here.
 */
import { configureGlobal, readConfigureGlobal } from 'fast-check';

const { PROPERTY_SEED, CI } = process.env;
const seed = PROPERTY_SEED ?? (CI === undefined ? undefined : '20190524');
if (seed !== undefined) configureGlobal({ ...readConfigureGlobal(), seed: Number(seed) });
