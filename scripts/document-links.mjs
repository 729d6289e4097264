// What the documents link to that is not elsewhere.
import { dirname, join } from 'node:path';

/** `[words](path#anchor "title")`, `![words](<path>)` of a picture, and a link whose words hold a picture. */
const LINK =
  /!?\[((?:!\[[^[\]]*\]\([^)]*\)|[^[\]])*)\]\(\s*(?:<([^<>]*)>|([^()\s]+))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/g;

/** What a match of LINK says; undefined of an address. @param document in which it stands, from the root */
function linkOf([link, , bracketed, bare], document) {
  const target = bracketed ?? bare;
  if (/^[a-z][a-z\d+.-]*:/i.test(target)) return undefined;
  const [path, anchor] = target.split('#', 2);
  return {
    link,
    /** From the root. */
    path: path === '' ? document : join(dirname(document), path),
    anchor,
  };
}

/** All links of a document that are no addresses, those of its pictures too. */
function linksOf(text, document) {
  return [...text.matchAll(LINK)].flatMap((match) => [
    ...linksOf(match[1], document),
    ...[linkOf(match, document)].filter((one) => one !== undefined),
  ]);
}

/** Targets of the links to other files, from the root. */
export function linkedIn(text, document) {
  return linksOf(text, document)
    .map(({ path }) => path)
    .filter((path) => path !== document);
}

/**
 * A document as it is packed: of a link to what is not packed the words stay, and where that is in the sources. Nothing
 * here is at a public address to which it could link.
 *
 * @param read gives the text of a document of the sources
 */
export function withoutDeadLinks(text, document, isPacked, read) {
  return text.replaceAll(LINK, (...match) => {
    const link = linkOf(match, document);
    const [whole, around] = match;
    const words = withoutDeadLinks(around, document, isPacked, read);
    if (link === undefined || link.path === document || isPacked(link.path))
      return whole.replace(`[${around}]`, () => `[${words}]`);
    return `${words} (${placeOf(link, read)} in the sources)`.trimStart();
  });
}

/** In words, with the section by its heading. */
function placeOf({ path, anchor }, read) {
  if (anchor === undefined) return `\`${path}\``;
  const heading = path.endsWith('.md') ? headingsOf(read(path)).get(anchor) : undefined;
  return heading === undefined ? `\`${path}#${anchor}\`` : `“${heading}” of \`${path}\``;
}

/** Headings by how they are named in links; the second of one name gets a number. */
function headingsOf(text) {
  const seen = new Map();
  const headings = text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/^#{1,6} (.*)$/gm);
  return new Map(
    [...headings].map(([, heading]) => {
      const anchor = heading
        .toLowerCase()
        .replaceAll(/\]\([^)]*\)/g, '')
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
      const before = seen.get(anchor) ?? 0;
      seen.set(anchor, before + 1);
      return [before === 0 ? anchor : `${anchor}-${before}`, heading];
    }),
  );
}

/** The links of a document to headings that are not there. @param read gives the text of a document */
export function deadAnchors(text, document, read) {
  return linksOf(text, document)
    .filter(({ path, anchor }) => anchor !== undefined && !headingsOf(read(path)).has(anchor))
    .map(({ link }) => link);
}
