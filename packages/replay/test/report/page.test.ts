/** The page of a report in a browser. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBuiltPage } from '../../src/built-page.ts';
import { reportPage } from '../../src/report/report-page.ts';
import type { Report } from '../../src/report/report-schema.ts';
import { temporaryFolder, trace } from '../traces.ts';
import { findChromium, startChromium, type Browser, type Page, type Screen } from './chromium.ts';
import { contrast, luminance } from './contrast.ts';
import { full, hostile, reportOf } from './report-of.ts';

const PHONE: Screen = { width: 390, height: 844, scale: 2 };
const LAPTOP: Screen = { width: 1440, height: 900 };
const STOCK = join(import.meta.dirname, '../golden/stock/storm-q256.arrows.gz');

const chromium = findChromium();

/** Of what stands on the page and in its window. */
const FACTS = `({
  overflow: document.documentElement.scrollWidth - innerWidth,
  plots: document.querySelectorAll('.plot').length,
  drawn: [...document.querySelectorAll('.plot canvas')].filter((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value !== 0);
  }).length,
  widest: Math.max(0, ...[...document.querySelectorAll('canvas')].map((canvas) => canvas.clientWidth)),
  unnamed: document.querySelectorAll('[role=img]:not([aria-label])').length,
  untold: [...document.querySelectorAll('figure')].filter((figure) => !figure.querySelector('details')).length,
  headings: [...document.querySelectorAll('h1, h2')].map(({ tagName }) => tagName).join(' '),
  foreign: document.querySelectorAll('img, iframe, object, embed, link, a, script:not([type])').length,
  hurt: typeof hurt,
  text: document.body.textContent.length,
})`;

interface Facts {
  readonly overflow: number;
  readonly plots: number;
  readonly drawn: number;
  readonly widest: number;
  readonly unnamed: number;
  readonly untold: number;
  readonly headings: string;
  readonly foreign: number;
  readonly hurt: string;
}

describe.skipIf(chromium === undefined)(
  `the page in Chromium${chromium === undefined ? ' (not installed: apt-get install chromium-headless-shell)' : ''}`,
  { timeout: 120_000 },
  () => {
    const folder = temporaryFolder();
    let browser: Browser;
    beforeAll(async () => {
      browser = await startChromium(chromium ?? '');
    }, 60_000);
    afterAll(async () => browser?.close());

    /** Loads the page of a report from a file, as people do. */
    async function show(html: string, screen: Screen): Promise<{ page: Page; url: string }> {
      const file = join(folder, 'a report & more.html');
      writeFileSync(file, html);
      const url = pathToFileURL(file).href;
      return { page: await browser.open(url, screen), url };
    }

    const stock = async (): Promise<Report> => {
      const file = join(folder, 'storm.arrows');
      writeFileSync(file, gunzipSync(readFileSync(STOCK)));
      return reportOf(file);
    };
    const reports = {
      'a kernel with the driver': async () => reportOf(trace('s3').path),
      'a stock kernel': stock,
      'as many counts as there can be': async () => full(await stock()),
      'hostile names': async () => hostile(await stock()),
    };

    describe.each(Object.entries(reports))('%s', (_, make) => {
      test.each([
        ['phone', PHONE],
        ['phone, dark', { ...PHONE, dark: true }],
        ['laptop', LAPTOP],
        ['laptop, dark', { ...LAPTOP, dark: true }],
      ])('%s', async (name, screen) => {
        const { page, url } = await show(reportPage(await make(), readBuiltPage()), screen);
        const facts = await page.evaluate<Facts>(FACTS);
        expect(page.messages).toEqual([]);
        expect(page.requests).toEqual([url]);
        expect(facts).toMatchObject({ overflow: 0, unnamed: 0, untold: 0, foreign: 0 });
        expect(facts.hurt).toBe('undefined');
        expect(facts.plots).toBeGreaterThan(1);
        expect(facts.drawn).toBe(facts.plots);
        expect(facts.headings).toMatch(/^H1( H2){6,}$/);
        expect(name).toBeTruthy();
        await page.close();
      });

      test('on paper', async () => {
        const { page } = await show(reportPage(await make(), readBuiltPage()), {
          ...LAPTOP,
          dark: true,
        });
        await page.evaluate(
          `addEventListener('beforeprint', () => { globalThis.paper = [document.documentElement.className, ${FACTS}, getComputedStyle(document.body).backgroundColor] })`,
        );
        const pdf = await page.pdf();
        expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
        const [name, facts, background] =
          await page.evaluate<[string, Facts, string]>('globalThis.paper');
        expect(name).toBe('paper');
        // A4 has 794 pixels, with its margins.
        expect(facts.widest).toBeLessThan(700);
        expect(background).toBe('rgb(255, 255, 255)');
        expect(await page.evaluate('document.documentElement.className')).toBe('');
        expect(page.messages).toEqual([]);
        await page.close();
      });
    });

    test('draws with little of a processor, also as many counts as there can be, and stays below 5 MB', async () => {
      const html = reportPage(full(await stock()), readBuiltPage());
      expect(html.length).toBeLessThan(5_000_000);
      // How long it takes by the clock depends on what else the machine does.
      const secondsOf = async (content: string): Promise<number> => {
        const { page } = await show(content, LAPTOP);
        const seconds = await page.processorSeconds();
        await page.close();
        return seconds;
      };
      const empty = await secondsOf('<!doctype html>');
      const whole = await secondsOf(html);
      // Twice what it takes beside other tests.
      expect(whole - empty).toBeLessThan(1.5);
      expect(whole).toBeGreaterThan(empty);
    });

    test('hostile names are text, and what cannot be seen is named', async () => {
      const { page } = await show(reportPage(hostile(await stock()), readBuiltPage()), LAPTOP);
      const text = await page.evaluate<string>('document.getElementById("report").textContent');
      expect(text).toContain('</script><script>hurt=1</script><img src=x onerror=hurt=1><!--$&');
      expect(text).toContain(String.raw`\u{202e}\x07`);
      expect(text).not.toMatch(/\p{Cf}|\p{Cc}/u);
      expect(await page.evaluate('document.title')).not.toMatch(/\p{Cf}|\p{Cc}/u);
      await page.close();
    });

    test('the policy stops what is not the page’s own, and the test would see it', async () => {
      const html = reportPage(await stock(), readBuiltPage()).replace(
        '</main>',
        '</main><script>hurt=1</script><p style="color:red">x</p><img src="https://example.org/x.png">',
      );
      const { page } = await show(html, LAPTOP);
      expect((await page.evaluate<Facts>(FACTS)).hurt).toBe('undefined');
      const refused = page.messages.filter((message) =>
        message.includes('Content Security Policy'),
      );
      expect(refused).toHaveLength(3);
      // It is told of although it is not let out.
      expect(page.requests).toContain('https://example.org/x.png');
      await page.close();
    });

    test('tables unfold beside every plot, and say what it shows', async () => {
      const { page } = await show(reportPage(await stock(), readBuiltPage()), PHONE);
      const rows = await page.evaluate<number[]>(`(async () => {
        for (const one of document.querySelectorAll('details')) one.open = true;
        await new Promise((done) => setTimeout(done, 100));
        return [...document.querySelectorAll('figure details')].map((one) => one.querySelectorAll('tbody tr').length);
      })()`);
      expect(rows.length).toBeGreaterThan(2);
      for (const count of rows) expect(count).toBeGreaterThan(5);
      expect(
        await page.evaluate('[...document.querySelectorAll("table")].every((one) => one.caption)'),
      ).toBe(true);
      expect((await page.evaluate<Facts>(FACTS)).overflow).toBe(0);
      await page.close();
    });

    test('fits another screen, and takes its colours, without being loaded again', async () => {
      const { page, url } = await show(reportPage(await stock(), readBuiltPage()), LAPTOP);
      const colours = `document.querySelector('canvas').toDataURL()`;
      const before = await page.evaluate<string>(colours);
      await page.turn({ ...LAPTOP, dark: true });
      expect(await page.evaluate<string>(colours)).not.toBe(before);
      await page.turn(PHONE);
      const facts = await page.evaluate<Facts>(FACTS);
      expect(facts.overflow).toBe(0);
      expect(facts.widest).toBeLessThanOrEqual(PHONE.width);
      expect(facts.drawn).toBe(facts.plots);
      expect(page.requests).toEqual([url]);
      await page.close();
    });

    test('tells what is under the pointer', async () => {
      const { page } = await show(reportPage(await reportOf(trace('s3').path), readBuiltPage()), {
        ...LAPTOP,
        height: 3_000,
      });
      const output = `document.querySelector('figure output').textContent`;
      expect(await page.evaluate(output)).toMatch(/^11\.02\u00a0% of 13,316, 11,848 fallbacks$/u);
      const { x, y } = await page.evaluate<{ x: number; y: number }>(
        `(() => { const { right, top } = document.querySelector('.u-over').getBoundingClientRect(); return { x: right - 250, y: top + 20 }; })()`,
      );
      await page.point(x, y);
      expect(await page.evaluate(output)).toMatch(
        /^at \d\.\d+\u00a0s: \d+\.\d\d\u00a0% of \d+, \d+ fallbacks$/u,
      );
      await page.point(5, 5);
      expect(await page.evaluate(output)).toMatch(/^11\.02/);
      await page.close();
    });

    test.each([false, true])('text can be read (dark: %s)', async (dark) => {
      const { page } = await show(reportPage(await stock(), readBuiltPage()), { ...LAPTOP, dark });
      const colours = await page.evaluate<string[]>(
        `['paper', 'ink', 'ink-2'].map((name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim())`,
      );
      const [paper = 0, ink = 0, ink2 = 0] = colours.map(luminance);
      expect(contrast(paper, ink)).toBeGreaterThan(7);
      expect(contrast(paper, ink2)).toBeGreaterThan(4.5);
      await page.close();
    });
  },
);
