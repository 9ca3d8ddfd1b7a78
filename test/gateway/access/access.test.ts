/** Section 4: every route × role × organisation × kind of credential, held against one declared table. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountedRoutes } from '../box/asking.ts';
import { checkAccess } from './check.ts';
import { type Credential, makeCredentials } from './credentials.ts';
import { undocumented } from './document.ts';
import { createFuzz, documentOf, FUZZED, type FuzzResult } from './fuzz.ts';
import { seeded } from './seeded.ts';
import { RULES } from './table.ts';
import { openWorld, type World } from './world.ts';

describe('who may call what', () => {
  let world: World;
  let credentials: Credential[] = [];
  beforeAll(async () => {
    world = await openWorld();
    credentials = await makeCredentials(world);
  }, 90_000);
  afterAll(() => world?.remove());

  it('has every route of the router in the table, and no other', () => {
    expect(RULES.map(({ route }) => route).sort()).toEqual(mountedRoutes().sort());
  });

  it('documents every route of the API, with the role of the table', async () => {
    expect(await undocumented(world)).toEqual([]);
  });

  it('answers each kind of credential as the table says', async () => {
    const seed = Date.now() % 1e6;
    const random = seeded(seed);
    const { checks, deviations } = await checkAccess(world, credentials, () => random() < 0.12);
    expect(deviations, `seed ${seed}`).toEqual([]);
    expect(checks).toBeGreaterThan(600);
  }, 60_000);

  it('answers a seeded sample of fuzzed requests without a 5xx and without a foreign row', async () => {
    const seed = Date.now() % 1e6;
    const random = seeded(seed);
    const wrong: string[] = [];
    const fuzz = createFuzz(world, await documentOf(world), random, (line) => wrong.push(line));
    const until = performance.now() + FUZZ_MS;
    const results: FuzzResult[] = [];
    for (const rule of [...FUZZED].sort(() => random() - 0.5))
      if (performance.now() < until) results.push(await fuzz(rule, 5));
    expect(wrong, `seed ${seed}`).toEqual([]);
    const sum = (of: (one: FuzzResult) => number) => results.reduce((total, one) => total + of(one), 0);
    expect(sum((one) => one.requests)).toBeGreaterThan(50);
    expect(sum((one) => one.taken)).toBeGreaterThan(5);
  }, 60_000);
});

const FUZZ_MS = 6000;
