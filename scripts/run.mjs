// `npm start` and `npm test` on a machine that has Node and npm and nothing else.
//
// This file only checks the version of Node. It has no static import and uses only old syntax, so
// that a Node which is too old still gets as far as the message.
const [major, minor] = process.versions.node.split('.').map(Number);

async function run() {
  const { main } = await import('./run/main.mjs');
  process.exitCode = await main(process.argv.slice(2));
}

// As in "engines" of package.json: what vite and oxlint, which build and check this, run on.
if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) {
  void run();
} else {
  process.stderr.write(
    'vhostscope: Node.js ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ') cannot run this; it needs 20.19 or newer in the 20 line, or 22.12 or newer: ' +
      'see .nvmrc or https://nodejs.org/\n',
  );
  process.exitCode = 2;
}
