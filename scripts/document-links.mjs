// What the documents link to that is not elsewhere.
import { dirname, join } from 'node:path';

/** `[text](path#anchor)`, also of a picture; no address. */
const LINK = /\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)/g;

/** Targets of the links of a document, from the root. */
export function linkedIn(text, document) {
  return [...text.matchAll(LINK)].map(([, , path]) => join(dirname(document), path));
}

/**
 * A document as it is packed: of a link to what is not packed the words stay, and where that is in the sources. Nothing
 * here is at a public address to which it could link.
 */
export function withoutDeadLinks(text, document, isPacked) {
  return text.replaceAll(LINK, (link, words, path) => {
    const target = join(dirname(document), path);
    return isPacked(target) ? link : `${words} (\`${target}\` in the sources)`;
  });
}

/** As headings are named in links; the second of one name gets a number. */
export function anchorsOf(text) {
  const seen = new Map();
  const headings = text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/^#{1,6} (.*)$/gm);
  return new Set(
    [...headings].map(([, heading]) => {
      const anchor = heading
        .toLowerCase()
        .replaceAll(/\]\([^)]*\)/g, '')
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
      const before = seen.get(anchor) ?? 0;
      seen.set(anchor, before + 1);
      return before === 0 ? anchor : `${anchor}-${before}`;
    }),
  );
}

/** The links of a document to headings that are not there. @param read gives the text of a document */
export function deadAnchors(text, document, read) {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)];
  const dead = links.filter(([, path, anchor]) => {
    const target = path === '' ? document : join(dirname(document), path);
    return !anchorsOf(read(target)).has(anchor);
  });
  return dead.map(([link]) => link);
}
