#!/usr/bin/env node
// Kept apart from the built code so that the command exists right after an install, before any
// build, and can say what is missing instead of printing a stack trace.
try {
  await import('../dist/main.js');
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  const missing = /'([^']+)'/.exec(error.message)?.[1] ?? 'a module';
  process.stderr.write(
    `testbed: not built yet (${missing} is missing): run \`npm start\` in the repository\n`,
  );
  process.exitCode = 2;
}
