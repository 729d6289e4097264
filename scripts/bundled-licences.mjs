// The licences of what a bundle is made of: of each package of others from which rolldown put code into it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The packages of others from which code is in the chunks.
 *
 * @param {object} bundle as rolldown gives it to generateBundle
 * @returns {{ name: string, version: string, licence: string, text: string }[]}
 */
export function packagesIn(bundle) {
  const folders = new Set();
  for (const { type, modules } of Object.values(bundle)) {
    if (type !== 'chunk') continue;
    // A module of which nothing is left was shaken off.
    for (const [id, { renderedLength }] of Object.entries(modules))
      if (renderedLength > 0 && id.includes('/node_modules/')) folders.add(folderOf(id));
  }
  return [...folders].map(readPackage);
}

/** The folder of a module's package: there may be a package.json without a name in folders below it. */
function folderOf(id) {
  const path = id.replace(/^\0/, '').replace(/\?.*$/, '');
  const end = path.lastIndexOf('/node_modules/') + '/node_modules/'.length;
  const [first, second] = path.slice(end).split('/');
  return path.slice(0, end) + (first.startsWith('@') ? `${first}/${second}` : first);
}

/** @param {string} folder of a package */
function readPackage(folder) {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { name, version, license: licence } = about;
  if (typeof licence !== 'string')
    throw new Error(`${folder}/package.json names no licence: what has none may not be handed on`);
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .toSorted()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  const text = texts.length > 0 ? texts.join('\n\n') : withoutText(about);
  return { name, version, licence, text };
}

/** Who a package without a text of its licence is by, as far as it says. */
function withoutText({ license, author, repository }) {
  const by = [author?.name ?? author, repository?.url ?? repository].filter(Boolean).join(', ');
  return `Its package holds no text of the licence ${license}; it is by ${by || 'nobody that it names'}.`;
}

/**
 * The file beside the bundles.
 *
 * @param {Map<string, object[]>} packagesOf by program
 */
export function licencesText(packagesOf) {
  const found = new Map();
  for (const [program, packages] of packagesOf)
    for (const one of packages) {
      const key = `${one.name} ${one.version}`;
      const programs = found.get(key)?.programs ?? new Set();
      found.set(key, { ...one, programs: programs.add(program) });
    }
  const sections = [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { licence, text, programs }]) => {
      const files = [...packagesOf.keys()]
        .filter((program) => programs.has(program))
        .map((program) => `${program}.mjs`)
        .join(', ');
      return `${'-'.repeat(80)}\n${key} (${licence}), in ${files}\n\n${text}\n`;
    });
  return `Code of these packages is in the programs beside this file, each under the licence that follows.\nvhostscope itself is under the Apache License 2.0: see LICENSE.\n\n${sections.join('\n')}`;
}
