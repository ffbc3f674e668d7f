/** The thread of `ImageWorker`: does one piece of work after another, and knows nothing else. */

import { parentPort } from 'node:worker_threads';
import { asFlashError } from '../errors';
import { IMAGE_WORK } from './image-work';
import type { ThreadAnswer, ThreadTask } from './image-worker';

parentPort?.on('message', ({ id, task }: { id: number; task: ThreadTask }) => {
  parentPort?.postMessage({ id, answer: answerTo(task) });
});

function answerTo(task: ThreadTask): ThreadAnswer {
  try {
    return task.work === 'pack'
      ? { packed: IMAGE_WORK.pack(task.bytes) }
      : { examination: IMAGE_WORK.examine(task.bytes, task.target) };
  } catch (thrown) {
    const { code, values } = asFlashError(thrown);
    return { code, values };
  }
}
