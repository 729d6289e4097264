/** `testbed shell`: one command in a fresh host. */
import { shellQuoted } from './boot-host.js';
import { onBootedHost, type HostOptions } from './on-booted-host.js';

/**
 * Runs a command and passes its output on as it comes.
 *
 * @param words - one word is a shell command; several are a program and its arguments
 * @returns its exit code
 */
export async function shellCommand(
  words: readonly string[],
  options: HostOptions,
): Promise<number> {
  const [only = ''] = words;
  const command = words.length === 1 ? only : words.map(shellQuoted).join(' ');
  return onBootedHost(options, async (host, interruption) => {
    const running = host.start(command, {
      onStdout: (bytes) => process.stdout.write(bytes),
      onStderr: (bytes) => process.stderr.write(bytes),
      discard: true,
    });
    interruption.onFirst(() => running.signal('SIGINT'));
    return (await running.ended).status;
  });
}
