/** The page of `replay fleet --report` in a browser. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findDesign, type Design } from '@vhostscope/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBuiltPage } from '../../src/built-page.ts';
import { fleetPage } from '../../src/fleet/fleet-page.ts';
import {
  fleetResult,
  fleetResultSchema,
  replayedOf,
  type FleetResult,
} from '../../src/fleet/fleet-result.ts';
import { replay } from '../in-process.ts';
import { temporaryFolder, trace } from '../traces.ts';
import { findChromium, startChromium, type Browser, type Page, type Screen } from './chromium.ts';
import { contrast, luminance } from './contrast.ts';
import { HOSTILE } from './report-of.ts';

const PHONE: Screen = { width: 390, height: 844, scale: 2 };
const LAPTOP: Screen = { width: 1440, height: 900 };
/** A4 within its margins. */
const PAPER: Screen = { width: 687, height: 1_000, print: true };

const chromium = findChromium();

/** Of what stands on the page and in its window. */
const FACTS = `({
  overflow: document.documentElement.scrollWidth - innerWidth,
  cut: [...document.querySelectorAll('table')].filter((table) => {
    const { overflowX } = getComputedStyle(table.parentElement);
    return table.scrollWidth > table.parentElement.clientWidth && overflowX !== 'auto';
  }).length,
  wide: [...document.querySelectorAll('.scrolls')].filter((one) => one.scrollWidth > one.clientWidth).length,
  headings: [...document.querySelectorAll('h1, h2')].map(({ tagName }) => tagName).join(' '),
  foreign: document.querySelectorAll('script, img, iframe, object, embed, link, a, form, [onerror], [onload]').length,
  hurt: typeof hurt,
  rows: document.querySelectorAll('table')[0].querySelectorAll('tbody tr').length,
})`;

interface Facts {
  readonly overflow: number;
  readonly cut: number;
  readonly wide: number;
  readonly headings: string;
  readonly foreign: number;
  readonly hurt: string;
  readonly rows: number;
}

describe.skipIf(chromium === undefined)(
  `the page of a fleet in Chromium${chromium === undefined ? ' (not installed: apt-get install chromium-headless-shell)' : ''}`,
  { timeout: 120_000 },
  () => {
    const top = temporaryFolder();
    let browser: Browser;
    let real: FleetResult;
    let page: string;
    beforeAll(async () => {
      const traces = join(top, 'traces');
      mkdirSync(traces);
      for (const name of ['s3', 'd1', 'u5'])
        copyFileSync(trace(name).path, join(traces, `${name}.txt.gz`));
      writeFileSync(join(traces, 'junk.txt'), 'junk\n');
      page = join(top, 'a fleet & more.html');
      const args = ['fleet', '--preempt', 'voluntary', '--json', '--report', page, traces];
      const { out } = await replay(...args);
      real = fleetResultSchema.parse(JSON.parse(out));
      browser = await startChromium(chromium ?? '');
    }, 120_000);
    afterAll(async () => browser?.close());

    async function show(html: string | undefined, screen: Screen): Promise<Page> {
      if (html === undefined) return browser.open(pathToFileURL(page).href, screen);
      const file = join(top, 'other.html');
      writeFileSync(file, html);
      return browser.open(pathToFileURL(file).href, screen);
    }

    const pageOf = (result: FleetResult): string =>
      fleetPage(result, [designOf('merged')], readBuiltPage().style);

    const makes = {
      'as it is written': (): string | undefined => undefined,
      'of hostile names': () => pageOf(hostile(real)),
      'of a thousand hosts': () => pageOf(manyHosts(real, 1_000)),
    };
    const ROWS = { 'as it is written': 5, 'of hostile names': 5, 'of a thousand hosts': 1_001 };

    describe.each(Object.keys(makes) as (keyof typeof makes)[])('%s', (kind) => {
      test.each([
        ['phone', PHONE],
        ['phone, dark', { ...PHONE, dark: true }],
        ['laptop', LAPTOP],
        ['laptop, dark', { ...LAPTOP, dark: true }],
      ])('%s', async (_, screen) => {
        const shown = await show(makes[kind](), screen);
        const facts = await shown.evaluate<Facts>(FACTS);
        expect(shown.messages).toEqual([]);
        // The page itself, and nothing else.
        expect(shown.requests).toHaveLength(1);
        expect(facts).toMatchObject({ overflow: 0, cut: 0, foreign: 0, hurt: 'undefined' });
        expect(facts.headings).toMatch(/^H1( H2){2,}$/);
        expect(facts.rows).toBe(ROWS[kind]);
        // Eight columns do not fit a phone: they are reached by scrolling.
        if (screen.width === PHONE.width) expect(facts.wide).toBeGreaterThan(0);
        const colours = await shown.evaluate<string[]>(
          `['paper', 'ink', 'ink-2'].map((name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim())`,
        );
        const [paper = 0, ink = 0, ink2 = 0] = colours.map(luminance);
        expect(paper > ink).toBe(!('dark' in screen));
        expect(contrast(paper, ink)).toBeGreaterThan(7);
        expect(contrast(paper, ink2)).toBeGreaterThan(4.5);
        await shown.close();
      });
    });

    test('figures are those of --json, in their columns', async () => {
      const shown = await show(undefined, LAPTOP);
      expect(real.totals).toMatchObject({ runs: 4, unreadable: 1 });
      const cells = await shown.evaluate<string[][]>(
        `[...document.querySelector('table').querySelectorAll('tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`,
      );
      const at = cells[0]?.indexOf('accesses') ?? -1;
      const accesses = replayedOf(real.runs).map(
        ({ comparison }) => comparison.designs[0]?.decisions.accesses,
      );
      const shownOnes = cells.slice(1, -1).flatMap((row) => row[at] ?? []);
      expect(shownOnes.filter((text) => text !== '–').map(plainNumber)).toEqual(accesses);
      expect(plainNumber(cells.at(-1)?.[at] ?? '')).toBe(
        accesses.reduce<number>((sum, one) => sum + (one ?? 0), 0),
      );
      await shown.close();
    });

    test('hostile names are text, and what cannot be seen is named', async () => {
      const shown = await show(pageOf(hostile(real)), LAPTOP);
      const text = await shown.evaluate<string>('document.body.textContent');
      expect(text).toContain('</script><script>hurt=1</script><img src=x onerror=hurt=1><!--$&');
      expect(text).toContain(String.raw`\u{202e}\x07`);
      // But for the ends of lines between elements.
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cf}|\p{Cc}/u);
      await shown.close();
    });

    test('the policy lets nothing run or load, and the test would see it', async () => {
      const html = pageOf(real).replace(
        '</main>',
        '</main><script>hurt=1</script><p style="color:red">x</p><img src="https://example.org/x.png">',
      );
      const shown = await show(html, LAPTOP);
      expect((await shown.evaluate<Facts>(FACTS)).hurt).toBe('undefined');
      const refused = shown.messages.filter((message) =>
        message.includes('Content Security Policy'),
      );
      expect(refused).toHaveLength(3);
      await shown.close();
    });

    test('on paper it is light where the screen is dark, and no table is cut', async () => {
      const shown = await show(undefined, { ...PAPER, dark: true });
      const [paper = '', ink = '', scheme] = await shown.evaluate<string[]>(
        `['--paper', '--ink', 'color-scheme'].map((name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim())`,
      );
      expect(luminance(paper)).toBeGreaterThan(0.9);
      expect(contrast(luminance(paper), luminance(ink))).toBeGreaterThan(7);
      expect(scheme).toBe('light');
      const facts = await shown.evaluate<Facts>(FACTS);
      expect(facts).toMatchObject({ overflow: 0, cut: 0 });
      expect((await shown.pdf()).subarray(0, 5).toString()).toBe('%PDF-');
      await shown.close();
    });
  },
);

function designOf(name: string): Design {
  const found = findDesign(name);
  if (found === undefined) throw new Error(`no design ${name}`);
  return found;
}

function plainNumber(text: string): number {
  return Number(text.replaceAll(',', ''));
}

/** With hostile text wherever a host or a file can name something. */
function hostile(result: FleetResult): FleetResult {
  const named = <Value>(record: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(record).map(([name, one]) => [`${name}${HOSTILE}`, one]));
  const runs = result.runs.map((run): FleetResult['runs'][number] => {
    const names = {
      host: `${run.host}${HOSTILE}`,
      run: `${run.run}${HOSTILE}`,
      path: `${run.path}${HOSTILE}`,
    };
    if (run.status !== 'replayed') return { ...run, ...names, error: `${run.error}${HOSTILE}` };
    const { comparison, storms } = run;
    return {
      ...run,
      ...names,
      kernel: HOSTILE,
      comparison: { ...comparison, assumptions: [...comparison.assumptions, HOSTILE] },
      storms: { ...storms, causes: named(storms.causes), classes: named(storms.classes) },
    };
  });
  return fleetResult(runs, result);
}

/** Its runs, again and again. */
function manyHosts(result: FleetResult, hosts: number): FleetResult {
  const replayed = replayedOf(result.runs);
  const runs = Array.from({ length: hosts }, (_, at) => {
    const run = replayed[at % replayed.length];
    if (run === undefined) throw new Error('nothing was replayed');
    const host = `rack-${Math.floor(at / 40)}-host-${at}.example.org`;
    return { ...run, host, run: host, path: `${host}.txt.gz` };
  });
  return fleetResult(runs, result);
}
