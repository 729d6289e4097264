// `collector attach` of the built program, on the fake host that RECORDED_HOST describes.
import { ProgramError, runProgram } from '@vhostscope/terminal';

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

await runProgram('collector', async () => {
  try {
    return await attachCommand(options, host);
  } catch (error) {
    // The bundle has classes of its own.
    if (error.name === 'ProgramError') throw new ProgramError(error.message, error);
    throw error;
  }
});
