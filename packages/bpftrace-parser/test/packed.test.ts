import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```js\n(.*?)```\n\n```text\n(.*?)```/gs)].map(
  ([, code, output], i) => ({ file: `example-${i}.mjs`, code, output }),
);

/** Where somebody has installed the package as npm would get it, and nothing else. */
const user = mkdtempSync(join(tmpdir(), 'bpftrace-parser-'));
const installed = join(user, 'node_modules/bpftrace-parser');

/** The tools of the workspace. */
const tools = join(root, '../../node_modules');

/** Runs a JavaScript program, without what an npm around this test says in the environment. */
function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  return start(cwd, process.execPath, program, ...args);
}

async function start(cwd: string, command: string, ...args: string[]): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm|pnpm)_/i.test(name)),
  );
  const { stdout } = await promisify(execFile)(command, args, { cwd, env });
  return stdout;
}

beforeAll(async () => {
  // Packing builds, so what is tested is what is here.
  await run(root, join(tools, 'pnpm/bin/pnpm.cjs'), 'pack', '--pack-destination', user);
  writeFileSync(join(user, 'package.json'), '{"private": true}\n');
  const tarball = readdirSync(user).find((name) => name.endsWith('.tgz'))!;
  await start(user, 'npm', 'install', '--offline', '--no-audit', '--no-fund', `./${tarball}`);
}, 120_000);

afterAll(() => {
  rmSync(user, { recursive: true, force: true });
});

function list(folder: string): string[] {
  return readdirSync(join(installed, folder)).toSorted();
}

describe('the packed package', () => {
  it('holds the licence, the sources and what they are built to, no test and nothing stale', () => {
    expect(list('.')).toEqual(['LICENSE', 'README.md', 'dist', 'package.json', 'src']);
    const sources = readdirSync(join(root, 'src')).filter((name) => !name.endsWith('.test.ts'));
    expect(list('src')).toEqual(sources.toSorted());
    const built = sources.flatMap((name) =>
      ['.d.ts', '.d.ts.map', '.js', '.js.map'].map((ending) => name.replace(/\.ts$/, ending)),
    );
    expect(list('dist')).toEqual(built.toSorted());
  });

  it('is no private matter of this repository', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('private');
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    });
    expect(JSON.stringify(manifest)).not.toMatch(/@vhostscope|workspace:|catalog:/);
    expect(readdirSync(join(user, 'node_modules')).filter((name) => name[0] !== '.')).toEqual([
      'bpftrace-parser',
    ]);
  });

  it('is found by every kind of import', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it.each(examples)('prints what the README says of $file', async ({ file, code, output }) => {
    writeFileSync(join(user, file), code);
    expect(await run(user, file)).toBe(output);
  });

  it('has types for the examples of the README', { timeout: 60_000 }, async () => {
    const files = examples.map(({ file, code }) => {
      const typed = file.replace(/\.mjs$/, '.mts');
      writeFileSync(join(user, typed), code);
      return typed;
    });
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
    const found = ['--types', 'node', '--typeRoots', join(tools, '@types')];
    const compiler = join(tools, 'typescript/bin/tsc');
    expect(await run(user, compiler, ...options, ...found, ...files)).toBe('');
  });
});

it('has two examples in its README', () => {
  expect(examples).toHaveLength(2);
});
