/** The OpenAPI document against the table: an operation that is missing in it, or names another role. */
import { RULES } from './table.ts';
import type { World } from './world.ts';

/** Who may call these is no single role: a login and password, or whoever is on the box. */
const OTHER_WAYS = new Set(['POST /api/v1/token', 'GET /metrics']);
/** Not an operation: the document itself. */
const NO_OPERATION = new Set(['GET /api/v1/openapi.json']);

export async function undocumented(world: World): Promise<string[]> {
  const document = (await (await world.request('/api/v1/openapi.json')).json()) as {
    paths: Record<string, Record<string, { security?: Record<string, string[]>[] }>>;
  };
  const faults: string[] = [];
  for (const { route, method, path, least } of RULES) {
    const isOperation = /^\/(api\/v1\/|healthz|readyz|metrics)/.test(path) && !NO_OPERATION.has(route);
    const operation = document.paths[path]?.[method.toLowerCase()];
    if (isOperation && !operation) faults.push(`${route} is not documented`);
    if (!isOperation || !operation || OTHER_WAYS.has(route)) continue;
    const role = operation.security?.[0]?.bearer?.[0] ?? null;
    if (role !== (least === 'owner' ? 'admin' : least))
      faults.push(`${route} is documented for ${role}, and the table says ${least}`);
  }
  return faults;
}
