/** Keys in the list of hosts. */
import { renderToString } from 'ink';
import { expect, test } from 'vitest';
import { hostsView, hostView } from '../../test/made-up-hosts.js';
import type { HostsSession } from '../hosts/hosts-session.js';
import { HOST_KEYS } from './host-keys.js';
import { createHostsStage, type HostsStage } from './hosts-stage.js';
import { lookOf } from './look.js';

const LOOK = lookOf({ LANG: 'C.UTF-8', NO_COLOR: '1' }, 8);
const SIZE = { columns: 80, rows: 24 };
const NAMES = Array.from({ length: 30 }, (_, at) => `host${at}`);

/** Thirty hosts; the runs of none of them can be opened. @param names in their order at that moment */
function stageOfHosts(names = () => NAMES): HostsStage {
  const hosts: HostsSession = {
    view: () => hostsView({ hosts: names().map((name) => hostView(name)) }),
    advance: () => false,
    isBusy: false,
    open: ({ host }) => {
      throw new Error(`no room to open ${host}`);
    },
    close: async () => Promise.resolve(),
  };
  return createHostsStage(hosts, { look: LOOK, readJump: () => ({ do: 'seek', at: 0 }) });
}

// oxlint-disable-next-line no-control-regex -- bold and reverse begin with one
const STYLES = /\u001b\[[0-9;]*m/g;

function screenOf(stage: HostsStage, size = SIZE): string {
  return renderToString(stage.draw(size, undefined), { columns: size.columns }).replaceAll(
    STYLES,
    '',
  );
}

function chosenOf(stage: HostsStage): string | undefined {
  return /^▸ (\S+)/m.exec(screenOf(stage))?.[1];
}

test.each(['?', 'h'])('%s shows the help of this list, and any key closes it', (key) => {
  const stage = stageOfHosts();
  expect(screenOf(stage)).toMatch(/Enter open .*\? help {2}q quit/);
  stage.press(key, SIZE);
  const help = screenOf(stage);
  for (const words of ['open the run of the', 'PgUp PgDn', 'Ctrl-Z', 'behind: how long ago'])
    expect(help).toContain(words);
  expect(help).toContain('any key closes the help');
  // What it is closed with does nothing else.
  for (const closing of ['enter', 'down', 'x', '?']) {
    stage.press(closing, SIZE);
    expect(chosenOf(stage)).toBe('host0');
    expect(screenOf(stage)).not.toContain('no room');
    stage.press(key, SIZE);
    expect(screenOf(stage)).toBe(help);
  }
});

test('every key of the help does what it says', () => {
  const stage = stageOfHosts();
  const moves = { down: 'host1', G: 'host29', k: 'host28', home: 'host0', j: 'host1', g: 'host0' };
  for (const [key, host] of Object.entries(moves)) {
    stage.press(key, SIZE);
    expect(chosenOf(stage)).toBe(host);
  }
  stage.press('pagedown', SIZE);
  expect(chosenOf(stage)).toBe('host12');
  stage.press('pageup', SIZE);
  stage.press('enter', SIZE);
  expect(screenOf(stage)).toContain('no room to open host0');
  stage.press('escape', SIZE);
  expect(screenOf(stage)).not.toContain('no room');
  const leaves = { q: 'quit', 'ctrl+c': 'interrupt', 'ctrl+z': 'suspend' };
  for (const [key, leave] of Object.entries(leaves)) expect(stage.press(key, SIZE)).toBe(leave);
  for (const { keys } of HOST_KEYS)
    for (const key of keys) expect(stageOfHosts().press(key, SIZE)).toBe(leaves[key as 'q']);
});

test('it can be left from its help', () => {
  const stage = stageOfHosts();
  stage.press('?', SIZE);
  expect(stage.press('q', SIZE)).toBe('quit');
});

test('only a key that moves chooses a host; before that the first is meant, whichever comes to be that', () => {
  let names = NAMES;
  const stage = stageOfHosts(() => names);
  for (const key of ['?', 'escape', 'escape', 'ctrl+z']) stage.press(key, SIZE);
  expect(chosenOf(stage)).toBe('host0');
  names = NAMES.toReversed();
  expect(chosenOf(stage)).toBe('host29');
  stage.press('home', SIZE);
  names = NAMES;
  expect(chosenOf(stage)).toBe('host29');
});
