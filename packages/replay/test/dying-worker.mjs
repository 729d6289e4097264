// A process of a fleet that answers with its number, or dies as the name of the run says.
import { setTimeout as pause } from 'node:timers/promises';

async function answerTo({ run: { run } }) {
  if (run === 'exit') process.exit(3);
  if (run === 'kill') process.kill(process.pid, 'SIGKILL');
  if (run === 'interrupt') process.kill(process.pid, 'SIGINT');
  process.send({ kind: 'progress', read: 1 });
  await pause(run === 'slow' ? 60_000 : 20);
  process.send({ kind: 'answer', answer: { error: `answered by ${process.pid}` } });
  // Dead by the time that it is asked again.
  if (run === 'last') setTimeout(() => process.exit(4));
}

process.on('message', (job) => void answerTo(job));
process.once('disconnect', () => process.exit());
