/** What records once more, with more of root's rights, where these are what it failed for. */
import { askingForTypes, capabilityNames } from '../privileges/recorder-privileges.js';
import { NotPermittedError, NoTypesError } from './lacked-rights.js';
import type { RecordingOptions } from './recording-run.js';

interface WiderCommand {
  readonly command: RecordingOptions['command'];
  /** For the user, and for the trace. */
  readonly said: string;
  readonly limit: string;
}

/** The same with more of root's rights; undefined where these are not what it failed for. */
export function withMoreRights(
  command: RecordingOptions['command'],
  error: unknown,
): WiderCommand | undefined {
  const { privileges, recorder } = command;
  const { capabilities } = privileges;
  if (capabilities === undefined) return undefined;
  const names = capabilityNames(capabilities);
  if (error instanceof NotPermittedError)
    return {
      command: withCapabilities(command, undefined),
      said: `${error.message}; it had fewer capabilities than root: once more with all that root may`,
      limit: `${recorder} could not attach its probes with ${names} only, which the header names, and recorded with all that root may`,
    };
  if (error instanceof NoTypesError)
    return {
      command: withCapabilities(command, askingForTypes(capabilities)),
      said: `${error.message}; bpftrace asks the kernel for them instead, for which it is given cap_sys_admin`,
      limit: `${error.message}: bpftrace had cap_sys_admin beside ${names}, which the header names, to ask the kernel for them`,
    };
  return undefined;
}

function withCapabilities<Command extends RecordingOptions['command']>(
  command: Command,
  capabilities: readonly string[] | undefined,
): Command {
  const privileges = { ...command.privileges, capabilities };
  return command.recorder === 'bpftrace'
    ? { ...command, privileges, types: undefined }
    : { ...command, privileges };
}
