import { expect, it } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import { createRecent } from '../../../gateway/auth/recent.ts';

it('whoever is signed in stays so while the database is away, for ten minutes, unless something was changed', async () => {
  let now_ms = 0;
  let asked = 0;
  let look: () => Promise<string | null> = async () => 'anna';
  const recent = createRecent<string>(() => now_ms, 5000);
  const ask = () => {
    return recent.get('token', () => {
      asked++;
      return look();
    });
  };
  expect(await ask()).toBe('anna');
  look = () => Promise.reject(new UnavailableError('away', 'later'));
  now_ms = 6000;
  expect([await ask(), await ask(), asked]).toEqual(['anna', 'anna', 2]);
  await expect(recent.get('other', look)).rejects.toThrow(UnavailableError);
  now_ms = 599_000;
  expect(await ask()).toBe('anna');
  now_ms = 606_000;
  await expect(ask()).rejects.toThrow(UnavailableError);

  now_ms = 0;
  look = async () => 'anna';
  await ask();
  recent.clear();
  look = () => Promise.reject(new UnavailableError('away', 'later'));
  await expect(ask()).rejects.toThrow(UnavailableError);

  look = async () => 'anna';
  await ask();
  now_ms = 6000;
  look = () => Promise.reject(new TypeError('a fault of ours'));
  await expect(ask()).rejects.toThrow(TypeError);
  look = async () => null;
  expect(await ask()).toBeNull();
  look = () => Promise.reject(new UnavailableError('away', 'later'));
  await expect(ask()).rejects.toThrow(UnavailableError);
});

it('nobody who is known waits for a database that is frozen, and what it says later counts', async () => {
  let now_ms = 0;
  let say: (value: string | null) => void = () => {};
  let look: () => Promise<string | null> = async () => 'anna';
  const recent = createRecent<string>(() => now_ms, 5000);
  expect(await recent.get('token', () => look())).toBe('anna');
  now_ms = 6000;
  look = () =>
    new Promise((done) => {
      say = done;
    });
  expect(await recent.get('token', () => look())).toBe('anna');
  say(null);
  await new Promise((done) => setImmediate(done));
  look = () => Promise.reject(new UnavailableError('away', 'later'));
  await expect(recent.get('token', () => look())).rejects.toThrow(UnavailableError);
});
