// CHANGELOG.md: one for all packages, which have one version. A section is a version, and its date once it is released.

/** Of the newest section: `## 0.1.0 (unreleased)` or `## 0.1.0, 2026-12-01`. */
const HEADING = /^## (\S+?)(?: \(unreleased\)|, (\d{4}-\d{2}-\d{2}))$/m;

/** @returns {{ version: string, isReleased: boolean, at: number, length: number }} the newest section's heading */
export function newestSection(text) {
  const match = HEADING.exec(text);
  if (match === null || text.slice(0, match.index).includes('\n## '))
    throw new Error(
      'CHANGELOG.md: the first section is not "## VERSION (unreleased)" or "## VERSION, DATE"',
    );
  const [heading, version, date] = match;
  return { version, isReleased: date !== undefined, at: match.index, length: heading.length };
}

/**
 * The text with a released version at its top: the section that was not released yet, with the lines behind those that
 * it has (and before what it closes with), or a new one.
 *
 * @param {string} text
 * @param {string} version
 * @param {string} date
 * @param {string[]} lines - of Markdown, without the bullet
 */
export function released(text, version, date, lines) {
  const newest = newestSection(text);
  const heading = `## ${version}, ${date}`;
  const bullets = lines.map((line) => `- ${line.trim().replaceAll(/\n(?=.)/g, '\n  ')}`).join('\n');
  if (newest.isReleased)
    return `${text.slice(0, newest.at)}${heading}\n\n${bullets}\n\n${text.slice(newest.at)}`;
  if (newest.version !== version)
    throw new Error(`CHANGELOG.md: ${newest.version} was not released, and ${version} is next`);
  const below = text.slice(newest.at + newest.length);
  const end = below.indexOf('\n## ');
  const [section, older] = end < 0 ? [below, ''] : [below.slice(0, end), below.slice(end)];
  const taken = bullets === '' ? section.trimEnd() : withBullets(section.trimEnd(), bullets);
  return `${text.slice(0, newest.at)}${heading}${taken}\n${older}`;
}

/** A section with more bullets at the end of its last list. */
function withBullets(section, bullets) {
  const last = [...section.matchAll(/^- .*(?:\n(?: {2,}.*|(?=\n {2})))*/gm)].at(-1);
  if (last === undefined) return `${section}\n\n${bullets}`;
  const end = last.index + last[0].length;
  return `${section.slice(0, end)}\n${bullets}${section.slice(end)}`;
}
