import { describe, expect, it } from 'vitest';
import { checkRights } from './rights.ts';
import { ACCOUNTS, isLegalFilter, isLegalTopic, mayHear } from './rights-oracle.ts';

describe('rights at the broker', () => {
  it('nobody hears, is granted or takes over what the table does not give, in random doings of two organisations', async () => {
    const result = await checkRights({ cases: 2000, seed: 1 });
    expect(result.leaks).toEqual([]);
    // Something must have happened, or nothing was tested.
    expect(result.cases).toBeGreaterThanOrEqual(2000);
    expect(result.heard).toBeGreaterThan(300);
    expect(result.granted).toBeGreaterThan(300);
    expect(result.stored).toBeGreaterThan(20);
  }, 60_000);
});

describe('the table', () => {
  const of = (username: string) => ACCOUNTS.find((account) => account.username === username)!;
  it.each([
    ['a', 'meters/a/#', true],
    ['a', 'meters/a/+/x', true],
    ['a', 'meters/+/a', false],
    ['a', 'meters/#', false],
    ['a', 'meters/a.b/x', false],
    ['a', '$share/g/meters/a/#', false],
    ['ha', 'luna/#', true],
    ['ha', 'luna-other/#', false],
    ['ha', '+/m1/state', false],
    ['other.ha', 'luna-other/+/state', true],
  ])('%s, %s: %s', (username, filter, may) => expect(mayHear(of(username), filter)).toBe(may));

  it('knows what the standard allows', () => {
    expect(['a//b', '/', '$SYS/x'].every(isLegalTopic)).toBe(true);
    expect(['', 'a/+', 'a\0'].some(isLegalTopic)).toBe(false);
    expect(['#', '+', '+/#', 'a/+/b', '/'].every(isLegalFilter)).toBe(true);
    expect(['', 'a#', '#/a', 'a+', '+a', '\0'].some(isLegalFilter)).toBe(false);
  });
});
