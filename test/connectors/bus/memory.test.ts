import { expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import type { LunaEvent } from '../../../engine/ports.ts';
import { silent } from '../../setup/database.ts';

const advice = (tenant: string): LunaEvent => ({ type: 'advice', tenant });

it('brings each event to every subscriber in order, whoever of them throws', () => {
  const bus = createMemoryBus({ log: silent });
  const heard: LunaEvent[] = [];
  bus.subscribe(() => {
    throw new Error('broken');
  });
  bus.subscribe((event) => heard.push(event));
  bus.publish(advice('a'));
  bus.publish(advice('b'));
  expect(heard).toEqual([advice('a'), advice('b')]);
});

it('ends a subscription once, also while an event is on its way', async () => {
  const bus = createMemoryBus({ log: silent });
  let count = 0;
  const listener = () => count++;
  const first = bus.subscribe(listener);
  const second = bus.subscribe(listener);
  bus.subscribe(() => second());
  bus.publish(advice('a'));
  expect(count).toBe(2);
  first();
  first();
  bus.publish(advice('a'));
  expect(count).toBe(2);
  await bus.close();
  bus.publish(advice('a'));
});
