/** Section 4: every route with every kind of credential of both organisations, held against the declared table. */
import { checkAccess } from '../gateway/access/check.ts';
import { makeCredentials } from '../gateway/access/credentials.ts';
import { undocumented } from '../gateway/access/document.ts';
import { RULES } from '../gateway/access/table.ts';
import { openWorld } from '../gateway/access/world.ts';
import { mountedRoutes } from '../gateway/box/asking.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'every route × role × organisation × kind of credential against test/gateway/access/table.ts';

export async function run(_options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const world = await openWorld();
  try {
    const { checks, deviations } = await checkAccess(world, await makeCredentials(world));
    const declared = new Set(RULES.map(({ route }) => route));
    const missing = mountedRoutes().filter((route) => !declared.has(route));
    const faults = [...missing.map((route) => `${route} is not in the table`), ...(await undocumented(world))];
    for (const line of [...deviations, ...faults]) progress(line);
    return {
      ...{ routes: mountedRoutes().length, checks, deviations: deviations.length, undocumented: faults.length },
    };
  } finally {
    await world.remove();
  }
}
