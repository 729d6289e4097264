// A thread of a fleet that answers with its number, or dies as the name of the run says.
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, threadId } from 'node:worker_threads';

async function answerTo({ run }) {
  if (run === 'exit') process.exit(3);
  if (run === 'throw') throw new Error('what was that?');
  parentPort.postMessage({ kind: 'progress', read: 1 }, []);
  await pause(run === 'slow' ? 60_000 : 20);
  const answer = { error: `answered by ${threadId}` };
  parentPort.postMessage({ kind: 'answer', answer }, []);
  // Dead by the time that it is asked again.
  if (run === 'last') setTimeout(() => process.exit(4));
}

parentPort.on('message', (run) => void answerTo(run));
