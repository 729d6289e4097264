// `collector attach` of the built program, on the fake host that RECORDED_HOST describes.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { ProgramError, runProgram } from '@vhostscope/terminal';

failReads(JSON.parse(process.env.FAULTY_READS ?? 'null'));

/** From a time on every read of a pipe is refused: `{ code, afterMs }`. */
function failReads(fault) {
  if (fault === null) return;
  const { readSync } = fs;
  let from;
  fs.readSync = (fd, ...rest) => {
    const bytes = readSync(fd, ...rest);
    if (!fs.fstatSync(fd).isFIFO()) return bytes;
    from ??= performance.now() + fault.afterMs;
    if (performance.now() < from) return bytes;
    // As if somebody else had closed it; it cannot be closed once more then.
    if (fault.code === 'EBADF') fs.closeSync(fd);
    const { code } = fault;
    throw Object.assign(new Error(`${code}: it was told to, read`), { code, syscall: 'read' });
  };
  syncBuiltinESMExports();
}

/** The built command: what users run. */
const { attachCommand } = await import(process.env.ATTACH_COMMAND);
const { plan, cpus, options } = JSON.parse(process.env.RECORDED_HOST);

const host = {
  plan: async () => plan,
  user: async (name) => ({ name, uid: 65534, gid: 65534, home: '/nonexistent' }),
  vhostOwners: () => [],
  patienceMs: 1000,
  onlineCpus: () => cpus,
};

takeFiles(process.env.SPARE_FILES);

/** Leaves room for so many more open files. */
function takeFiles(spare) {
  if (spare === undefined) return;
  const taken = [];
  try {
    for (;;) taken.push(fs.openSync('/dev/null'));
  } catch {
    for (const fd of taken.slice(0, Number(spare))) fs.closeSync(fd);
  }
}

await runProgram('collector', async () => {
  try {
    return await attachCommand(options, host);
  } catch (error) {
    // The bundle has classes of its own.
    if (error.name === 'ProgramError') throw new ProgramError(error.message, error);
    throw error;
  }
});
