/** What a URL names, as far as only the server knows: which of its words is a prefix, and what is near a name. */
import { inOrder, nearWords } from '@vhostscope/terminal';
import { urlOfRun, type FleetUrl, type RunName } from './fleet-url.js';
import { FleetError, NoStreamError, streamInfo, type FleetServer } from './server-connection.js';
import {
  allRunSubjects,
  namedSubjects,
  prefixOfStream,
  runOfSubject,
  runStream,
} from './subjects.js';

export interface MeantUrl {
  readonly url: FleetUrl;
  /** What it was taken for, where that is not how it reads at first. */
  readonly taken: string | undefined;
}

/**
 * Of the two ways to read a URL the first of which the server holds something; the first where it may be still to
 * come.
 *
 * @throws FleetError where a word is neither a prefix nor a host
 */
export async function meantUrl(server: FleetServer): Promise<MeantUrl> {
  const { url } = server;
  const { otherwise } = url;
  if (otherwise === undefined || (await holds(server, url))) return { url, taken: undefined };
  if (await holds(server, otherwise)) return { url: otherwise, taken: takenFor(url, otherwise) };
  if (url.run !== undefined) return { url, taken: undefined };
  throw await neither(server, otherwise);
}

function takenFor({ prefix, run }: FleetUrl, { name, host, ...other }: FleetUrl): string {
  return run === undefined
    ? `${name} has no prefix ${prefix}: that is taken for its host ${host}`
    : `the server has no run ${run.host}/${run.run}: host ${host} of prefix ${other.prefix} is taken`;
}

/** Whether there is anything of what a URL names; of a prefix its stream, be it empty. @throws FleetError */
async function holds(server: FleetServer, url: FleetUrl): Promise<boolean> {
  try {
    const { state } = await streamInfo({ ...server, url }, namedSubjects(url));
    const isAll = (url.host ?? url.run) === undefined;
    return isAll || Object.keys(state.subjects ?? {}).length > 0;
  } catch (error) {
    if (error instanceof NoStreamError) return false;
    throw error;
  }
}

/** @param ofDefault what the URL names when its word is a host */
async function neither(server: FleetServer, ofDefault: FleetUrl): Promise<FleetError> {
  const { prefix, name } = server.url;
  const names = await runNames({ ...server, url: ofDefault }).catch(() => []);
  const hosts = nearWords(prefix, [...new Set(names.map(({ host }) => host))]).slice(0, NEAR_NAMES);
  const prefixes = nearWords(prefix, await prefixesOf(server)).slice(0, NEAR_NAMES);
  return new FleetError(
    `${ofDefault.name} has neither a prefix ${prefix} (a stream ${runStream(prefix)}) nor a host ${prefix} (in ${runStream(ofDefault.prefix)})`,
    {
      details: [
        ...(prefixes.length > 0 ? [`prefixes of nearly that name: ${prefixes.join(', ')}`] : []),
        ...(hosts.length > 0 ? [`hosts of nearly that name: ${hosts.join(', ')}`] : []),
      ],
      advice: `collector fleet status ${ofDefault.name} lists runs; collector fleet init ${name} makes a prefix`,
    },
  );
}

/** Runs of all hosts. @throws FleetError */
async function runNames(server: FleetServer): Promise<RunName[]> {
  const { prefix } = server.url;
  const { state } = await streamInfo(server, allRunSubjects(prefix));
  return Object.keys(state.subjects ?? {}).flatMap(
    (subject) => runOfSubject(prefix, subject) ?? [],
  );
}

/** Prefixes that have a stream, as far as one may ask. */
async function prefixesOf({ manager }: FleetServer): Promise<string[]> {
  try {
    const prefixes: string[] = [];
    for await (const stream of manager.streams.names())
      prefixes.push(...[prefixOfStream(stream) ?? []].flat());
    return prefixes;
  } catch {
    return [];
  }
}

/**
 * There is no run that is named so.
 *
 * @throws FleetError where the server cannot be asked which there are
 */
export async function noSuchRun(
  server: FleetServer,
  { host, run }: Pick<RunName, 'host'> & { readonly run?: string },
): Promise<FleetError> {
  const { url } = server;
  const names = await runNames(server);
  const ofHost = names.filter((name) => name.host === host);
  const hosts = nearWords(host, [...new Set(names.map((name) => name.host))]).slice(0, NEAR_NAMES);
  const near =
    ofHost.length === 0
      ? names.filter((name) => hosts.includes(name.host))
      : ofHost.filter((name) => nearWords(run ?? '', [name.run]).length > 0);
  const listed = (near.length > 0 ? near : ofHost).toSorted((a, b) => inOrder(b.run, a.run));
  const what = run === undefined ? `no run of host ${host}` : `no run ${host}/${run}`;
  return new FleetError(`${url.name} has ${what}`, {
    details: [
      ...(listed.length > 0 ? ['what comes near:'] : []),
      ...listed.slice(0, NEAR_RUNS).map((name) => urlOfRun(url, name)),
    ],
    advice: `collector fleet status ${url.name} lists its runs`,
  });
}

/** So many hosts or prefixes are told, the nearest first, and so many runs, the latest first. */
const NEAR_NAMES = 5;
const NEAR_RUNS = 5;
