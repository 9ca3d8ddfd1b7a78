/** Asks every route with every credential and holds the answer against the table. */
import type { Role } from '../../../engine/model/site.ts';
import type { Organisation } from '../box/two-tenants.ts';
import type { Credential } from './credentials.ts';
import { RULES, type Rule } from './table.ts';
import type { World } from './world.ts';

export type Outcome = { checks: number; deviations: string[] };

const RANK: Record<Role, number> = { user: 0, analyst: 1, admin: 2 };
/** What is open before the second factor is set up; under /evcc/ no session counts, only the key in the address. */
const BEFORE_CODE = /^\/(account(\/.*)?|sign-out|preferences|healthz|readyz|static\/.*|evcc\/.*)$/;
/** Whoever may call these starts a program, copies the box, ends a session that is still needed, or changes who may what. */
const ONLY_REFUSALS = new Set([
  ...['POST /demo/start', 'POST /demo/stop', 'POST /api/v1/backups', 'POST /admin/backups'],
  ...['POST /sign-out', 'POST /admin/people/second-factor', 'POST /account/second-factor/begin'],
]);

type Expected = 'anything' | 'malformed or refused' | 'allowed' | 'unknown' | 'refused' | 'led away' | 'not for keys';

/** What the table says about this credential on this route. */
export function expectedOf({ least, way, method, path }: Rule, { kind, role, tenant }: Credential): Expected {
  const isUnsafe = method !== 'GET';
  const isPage = way === 'page' || way === 'person';
  if (kind === 'session without proof' && isUnsafe && !/^\/(sign-in|evcc\/)/.test(path)) return 'refused';
  if (kind === 'half') {
    if (BEFORE_CODE.test(path) || /^\/sign-in/.test(path)) return 'anything';
    return isUnsafe || path.startsWith('/api/') ? 'refused' : 'led away';
  }
  if (least === null) return 'anything';
  if (way === 'push' && kind === 'device') return 'allowed';
  if (role === null) return isPage ? 'led away' : 'unknown';
  if (least === 'owner')
    return tenant === 'default' && role === 'admin' ? 'allowed' : role === 'admin' ? 'malformed or refused' : 'refused';
  if (RANK[role] < RANK[least]) return 'refused';
  if (way === 'person' && (kind === 'key' || kind === 'token')) return 'not for keys';
  // They ask for the password once more, and refuse whoever gives none.
  if (way === 'person' && isUnsafe) return 'anything';
  return 'allowed';
}

/** In words what is wrong with the answer; null where it is as expected. */
function wrongWith(expected: Expected, status: number, location: string): string | null {
  const right: Record<Expected, boolean> = {
    anything: true,
    allowed: ![401, 403].includes(status) && !location.startsWith('/sign-in') && !location.startsWith('/account'),
    unknown: status === 401,
    refused: status === 403,
    'malformed or refused': [400, 403].includes(status),
    'led away': status === 303 && /^\/(sign-in|account)/.test(location),
    'not for keys': [303, 403].includes(status),
  };
  if (status >= 500) return 'fails';
  return right[expected] ? null : `should be ${expected}`;
}

/** @param pick which pairs of route and credential are asked */
export async function checkAccess(
  world: World,
  credentials: readonly Credential[],
  pick: (rule: Rule, credential: Credential) => boolean = () => true,
): Promise<Outcome> {
  const outcome: Outcome = { checks: 0, deviations: [] };
  for (const rule of RULES)
    for (const credential of credentials) {
      const expected = expectedOf(rule, credential);
      if ((['allowed', 'anything'].includes(expected) && ONLY_REFUSALS.has(rule.route)) || !pick(rule, credential))
        continue;
      const victim = world.organisations.find(({ tenant }) => tenant !== credential.tenant)!;
      for (const path of pathsOf(rule.path, victim)) {
        const answer = await world.request(path, {
          ...{ method: rule.method, headers: credential.headers, redirect: 'manual' },
        });
        const location = answer.headers.get('location') ?? '';
        const wrong = wrongWith(expected, answer.status, location);
        const leak = await leakOf(answer, rule, victim);
        const found = wrong ?? leak ?? reaches(rule, expected, path, victim, answer.status);
        outcome.checks++;
        if (found)
          outcome.deviations.push(
            `${rule.method} ${path} for ${credential.name}: ${answer.status} ${location} ${found}`,
          );
      }
    }
  return outcome;
}

/** With a name that nobody has, and with what the other organisation has at this place. */
function pathsOf(path: string, { ids }: Organisation): string[] {
  if (!path.includes('{')) return [path];
  const of: readonly (readonly [RegExp, string])[] = [
    [/documents\/\{/, ids.document],
    [/(devices|meters)\/\{/, ids.device],
    [/people\/\{/, ids.person],
    [/keys\/\{/, ids.key],
    [/recommend\/\{/, ids.decision],
    [/alerts\/\{/, ids.alert],
    [/anomalies\/\{/, ids.anomaly],
    [/channels\/\{/, ids.channel],
    [/recipients\/\{/, ids.recipient],
  ];
  const foreign = of.find(([place]) => place.test(path))?.[1];
  return ['nobody', ...(foreign ? [foreign] : [])].map((id) => path.replaceAll(/\{\w+\}/g, id));
}

/** A stranger to a thing is told that it is not there, or what is wrong with the request; never that it was done. */
function reaches(rule: Rule, expected: Expected, path: string, victim: Organisation, status: number): string | null {
  if (expected !== 'allowed' || rule.way !== 'api' || !Object.values(victim.ids).some((id) => path.includes(id)))
    return null;
  return [400, 404].includes(status) ? null : 'reaches what is not theirs';
}

async function leakOf(answer: Response, rule: Rule, victim: Organisation): Promise<string | null> {
  if (rule.path === '/stream') {
    await answer.body?.cancel();
    return null;
  }
  return (await answer.text()).includes(victim.secret) ? `tells ${victim.secret}` : null;
}
