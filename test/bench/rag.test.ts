/** A small piece of each bench about retrieval, on every run of the tests. */
import { describe, expect, it } from 'vitest';
import { run as runTenants } from './rag-tenants.bench.ts';

describe('bench rag-tenants', () => {
  it('finds no foreign passage in a sample', async () => {
    const { searches, foreign } = await runTenants({ searches: '600', tenants: '5' }, () => {});
    expect({ searches, foreign }).toEqual({ searches: 600, foreign: 0 });
  });
});
