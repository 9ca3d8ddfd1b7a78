import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createQuestions } from '../../../gateway/workers/questions.ts';

it('own work waits until questions are answered, those that arrive meanwhile too, and no longer than its bound', async () => {
  const questions = createQuestions();
  await questions.answered(60_000);
  const order: string[] = [];
  const question = async (name: string, ms: number) => {
    await questions.ask(() => sleep(ms));
    order.push(name);
  };
  const asked = [question('first', 30), question('second', 60)];
  // Arrives in the turn of the event loop that the work gives way for.
  setImmediate(() => asked.push(question('third', 90)));
  await questions.answered(60_000);
  order.push('work');
  await Promise.all(asked);
  expect(order).toEqual(['first', 'second', 'third', 'work']);

  // Has arrived, though nobody has taken it up yet.
  setImmediate(() => asked.push(question('queued', 30)));
  await questions.answered(60_000);
  order.push('more work');
  await Promise.all(asked);
  expect(order.slice(4)).toEqual(['queued', 'more work']);

  const failing = questions.ask(() => Promise.reject(new Error('no such table')));
  await expect(failing).rejects.toThrow('no such table');
  await questions.answered(60_000);

  let ended = false;
  const endless = questions
    .ask(() => sleep(500))
    .then(() => {
      ended = true;
    });
  await questions.answered(20);
  expect(ended).toBe(false);
  await endless;
});

it('own work comes after a row of questions, each put when the one before is answered, not between them', async () => {
  const questions = createQuestions(300);
  let done = 0;
  const row = (async () => {
    for (let index = 0; index < 20; index++) {
      await questions.ask(async () => {});
      // The way to who asks and back.
      await sleep(1);
      done++;
    }
  })();
  await questions.answered(60_000);
  expect(done).toBeGreaterThanOrEqual(19);
  await row;
});
