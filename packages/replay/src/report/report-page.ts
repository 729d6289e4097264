/** The document of a report as one HTML page, which loads nothing and lets nothing run but its own script. */
import { createHash } from 'node:crypto';
import type { BuiltPage } from '../built-page.js';
import type { Report } from './report-schema.js';

export function reportPage(report: Report, { html, style, script }: BuiltPage): string {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  // Whole elements: whatever stands between their tags is what the hashes are of.
  const parts: Readonly<Record<string, string>> = {
    policy: `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    style: `<style>${style}</style>`,
    data: `<script type="application/json" id="report-data">${scriptSafe(JSON.stringify(report))}</script>`,
    script: `<script type="module">${script}</script>`,
  };
  // By a function: in a string, "$&" in a name of the host would mean something.
  return html.replace(/<!-- (\w+) -->/g, (mark, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`the page asks for ${mark}`);
    return part;
  });
}

/** As a content security policy names an inline script or style. */
export function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** JSON in which no tag can begin and none can end: it stands in a script element. */
function scriptSafe(json: string): string {
  return json.replaceAll('<', '\\u003c');
}
