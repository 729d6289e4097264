import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { reportPage } from './report-page.ts';
import type { Report } from './report-schema.ts';

const PAGE = {
  html: '<head><!-- policy --><!-- style --></head><!-- data --><!-- script -->',
  style: 'p { color: red }',
  script: 'run("$&")',
};

const reportWith = (headline: string): Report => ({ headline }) as unknown as Report;

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

test('the policy names the script and the style by what they are, and nothing else', () => {
  const html = reportPage(reportWith(''), PAGE);
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html) ?? [];
  expect(policy).toBe(
    `default-src 'none'; script-src 'sha256-${hashOf(PAGE.script)}'; style-src 'sha256-${hashOf(PAGE.style)}'; base-uri 'none'; form-action 'none'`,
  );
  expect(html).toContain(`<script type="module">${PAGE.script}</script>`);
  expect(html).toContain(`<style>${PAGE.style}</style>`);
});

test('the data end no element and begin none, and come back as they were', () => {
  const text = '</script><script>x</script><!-- <!-- data --> $& $1 \u2028 ]]>';
  const html = reportPage(reportWith(text), PAGE);
  const [, data = ''] = /id="report-data">(.*?)<\/script>/s.exec(html) ?? [];
  expect(data).not.toContain('<');
  expect(JSON.parse(data)).toEqual({ headline: text });
});

test('a mark that nothing belongs to is not passed over', () => {
  expect(() => reportPage(reportWith(''), { ...PAGE, html: '<!-- nonsense -->' })).toThrow(
    'nonsense',
  );
});
