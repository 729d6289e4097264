/** The environment of the programs that a recording starts. */

/** Who one is to a NATS server: a recorder or a dashboard has no use for it. */
const CREDENTIALS = /^NATS_/;

/** What this program was given, without what lets it in at a server, and with what is added. */
export function childEnvironment(
  added: Readonly<Record<string, string>> = {},
  own: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.entries(own).filter(([name]) => !CREDENTIALS.test(name));
  return { ...Object.fromEntries(kept), ...added };
}
