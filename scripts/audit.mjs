// Asks the registry whether advisories of level high or critical are known for what the programs are made of. A finding
// is an error; a registry that does not answer is said, for then nothing is known, and what is built is not worse for it.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const PNPM = join(ROOT, 'node_modules/pnpm/bin/pnpm.cjs');

/** What pnpm gets to ask once: CI does not wait for a registry. */
const LIMIT_MS = 30_000;

/** What pnpm and Node call it when nobody answers, or answers something else than an audit. */
const NO_ANSWER =
  /^(ERR_PNPM_AUDIT_(BAD_RESPONSE|ENDPOINT_NOT_EXISTS)|ERR_PNPM_META_FETCH_FAIL|ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|ERR_SOCKET_TIMEOUT|ERR_TLS_\w+|CERT_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+|UND_ERR_\w+)$/;

/** What became of a call of `pnpm audit --json`: `{ kind: 'clean' | 'found' | 'no answer' | 'failed', text }`. */
export function outcomeOf({ code, stdout, isLate }) {
  if (isLate) return { kind: 'no answer', text: `nothing within ${LIMIT_MS / 1000} s` };
  const document = parsed(stdout);
  const error = document?.error;
  if (error !== undefined) {
    const text = [error.code, error.message].filter(Boolean).join(': ');
    return { kind: NO_ANSWER.test(error.code ?? '') ? 'no answer' : 'failed', text };
  }
  const advisories = Object.values(document?.advisories ?? {}).filter(({ severity }) =>
    ['high', 'critical'].includes(severity),
  );
  if (advisories.length > 0) return { kind: 'found', text: advisories.map(described).join('\n') };
  if (code === 0 && document?.advisories !== undefined) return { kind: 'clean', text: '' };
  return { kind: 'failed', text: stdout.trim() || `pnpm audit ended with ${code}` };
}

function described({ severity, module_name: name, title, url, patched_versions: patched }) {
  return `  ${severity}: ${name}: ${title} (${url}); fixed in ${patched}`;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function audit() {
  const args = [PNPM, 'audit', '--prod', '--audit-level', 'high', '--json'];
  const env = { ...process.env, npm_config_fetch_retries: '0' };
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, LIMIT_MS);
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, stdout, isLate });
    });
  });
}

const SAID = {
  clean: () =>
    'audit: no advisory of level high or critical is known for what the programs are made of',
  found: (text) =>
    `audit: advisories of level high or critical:\n${text}\naudit: update what is named (pnpm-workspace.yaml, package.json), or see whether the programs use it at all`,
  'no answer': (text) =>
    `audit: NOT CHECKED: the registry does not answer audits (${text})\naudit: whether advisories are known is not known; ask one that answers, before a release at the latest: npm_config_registry=https://registry.npmjs.org/ node scripts/audit.mjs, where that can be reached`,
  failed: (text) =>
    `audit: pnpm could not ask: ${text}\naudit: nothing is known of advisories; try npx pnpm audit --prod, which is what was asked`,
};
const EXIT = { clean: 0, 'no answer': 0, found: 1, failed: 2 };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { kind, text } = outcomeOf(await audit());
  process.stderr.write(`${SAID[kind](text)}\n`);
  process.exitCode = EXIT[kind];
}
