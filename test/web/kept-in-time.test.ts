import { expect, it } from 'vitest';
import { createKeptInTime } from '../../gateway/http/pages/kept-in-time.ts';

const AT_ONCE = { with_older_ms: 0, otherwise_ms: 0 };
const PATIENT = { with_older_ms: Number.POSITIVE_INFINITY, otherwise_ms: Number.POSITIVE_INFINITY };

/** A store that answers when it is told to. */
function rig() {
  const asked: ((value: string) => void)[] = [];
  const kept = createKeptInTime(() => new Promise<string>((resolve) => asked.push(resolve)));
  const ask = (version: number, tick: string, patience = AT_ONCE) => kept({ name: 'a', version, tick }, patience);
  return { asked, ask };
}

it('gives what is older while the new is under way, and begins nothing twice for a tick', async () => {
  const { asked, ask } = rig();
  expect(await ask(1, 'first')).toBeNull();
  expect(await ask(1, 'second')).toBeNull();
  expect(asked).toHaveLength(1);
  asked[0]!('one');
  expect(await ask(1, 'second', PATIENT)).toBe('one');
  expect(await ask(1, 'third')).toBe('one');
  expect(asked).toHaveLength(2);
  asked[1]!('two');
  expect(await ask(1, 'third', PATIENT)).toBe('two');
});

it('asks anew for another version though the old is under way, and an old answer never replaces a newer one', async () => {
  const { asked, ask } = rig();
  const old = ask(1, 'first', PATIENT);
  const fresh = ask(2, 'first', PATIENT);
  asked[1]!('new');
  expect(await fresh).toBe('new');
  asked[0]!('old');
  expect(await old).toBe('old');
  expect(await ask(2, 'second')).toBe('new');
});

it('waits for as long as its patience lasts, and tells a failure', async () => {
  const { asked, ask } = rig();
  const patient = ask(1, 'first', { with_older_ms: 0, otherwise_ms: 60_000 });
  asked[0]!('in time');
  expect(await patient).toBe('in time');
  const failing = createKeptInTime(() => Promise.reject(new Error('gone')));
  await expect(failing({ name: 'a', version: 1, tick: '' }, PATIENT)).rejects.toThrow('gone');
});
