import { describe, expect, it } from 'vitest';
import { createPasswords } from '../../../gateway/auth/passwords.ts';

describe('passwords', () => {
  const passwords = createPasswords();

  it('are hashed by argon2id with a salt of their own', async () => {
    const [one, two] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
    expect(await passwords.verify(one, 'correct horse')).toBe(true);
    expect(await passwords.verify(one, 'correct horsf')).toBe(false);
  });

  it('are the same however the keyboard composes an umlaut', async () => {
    const stored = await passwords.hash('Gr\u00fcne Wiese');
    expect(await passwords.verify(stored, 'Gru\u0308ne Wiese')).toBe(true);
  });

  it('of nobody are never right and take as long as a real one', async () => {
    const stored = await passwords.hash('correct horse');
    const timed = async (against: string | null) => {
      const begun = performance.now();
      const right = await passwords.verify(against, 'nobody has this password');
      return { right, took_ms: performance.now() - begun };
    };
    await timed(null);
    const runs = { real: [] as number[], nobody: [] as number[] };
    for (let i = 0; i < 15; i++) {
      runs.real.push((await timed(stored)).took_ms);
      const nobody = await timed(null);
      expect(nobody.right).toBe(false);
      runs.nobody.push(nobody.took_ms);
    }
    // Other work on the machine only ever makes a run longer, so the shortest tells what it takes.
    expect(Math.min(...runs.nobody)).toBeGreaterThan(Math.min(...runs.real) / 3);
  });

  it.each(['short', 'x'.repeat(257), ''])('of bad length are refused', async (password) => {
    await expect(passwords.hash(password)).rejects.toThrow(/characters/);
  });

  it('waiting in hundreds are refused instead of filling the memory', async () => {
    const stored = await passwords.hash('correct horse');
    const outcomes = await Promise.allSettled(Array.from({ length: 80 }, () => passwords.verify(stored, 'x')));
    const refused = outcomes.filter(({ status }) => status === 'rejected').length;
    expect(refused).toBeGreaterThan(0);
    expect(await passwords.verify(stored, 'correct horse')).toBe(true);
  });
});
