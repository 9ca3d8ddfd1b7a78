/**
 * The policies at work, a tenant each: made from the rewards in the database, kept in memory, brought up to date before
 * every use. Tenants never share what was learnt. A snapshot spares learning everything again after a start.
 */

import type { Sql } from '../../../engine/ports.ts';
import type { PolicyName } from '../../../recommender/bandit/policies.ts';
import { replayFaults } from '../../../recommender/bandit/replay.ts';
import { createLivePolicy, type LivePolicy, livePolicyOf } from '../../../recommender/live.ts';
import { INPUTS } from '../../../recommender/moment.ts';
import type { Base } from '../../services.ts';
import { createTurns } from '../in-turn.ts';
import { type DecisionRow, loggedOf, type RewardRow, rewardsFrom } from './rows.ts';

/** `seq` and `last`: the newest reward that it has learnt; 0 and '' before the first. */
export type Learnt = LivePolicy & { seq: number; last: string };
type Snapshot = { seq: number; last: string; state: string };

const PAGE = 500;
/** Rewards after which learning them again takes longer than reading a snapshot. */
const SNAPSHOT_EVERY = 400;
const MOST_IN_MEMORY = 8;
const ALL_SITES = '*';

export type PolicyStore = {
  /** Runs `work` with the tenant's policy, up to date; one at a time a tenant. */
  use<T>(tenant: string, name: PolicyName, work: (live: Learnt, sql: Sql) => Promise<T>): Promise<T>;
  /** What differs when the decision is made again from the log; empty where it replays bit for bit. */
  replay(tenant: string, row: DecisionRow): Promise<string[]>;
};

export function createPolicyStore({ db, log }: Pick<Base, 'db' | 'log'>): PolicyStore {
  const known = new Map<string, Learnt>();
  const inTurn = createTurns();

  async function current(sql: Sql, tenant: string, name: PolicyName): Promise<Learnt> {
    const before = known.get(tenant);
    known.delete(tenant);
    const kept = before?.name === name && (await stillTrue(sql, before)) ? before : null;
    const live = kept ?? (await fromSnapshot(sql, createLivePolicy(name)));
    const from = live.seq;
    await catchUp(sql, live, Infinity);
    if (Math.floor(live.seq / SNAPSHOT_EVERY) > Math.floor(from / SNAPSHOT_EVERY))
      await saveSnapshot(sql, tenant, live);
    known.set(tenant, live);
    if (known.size > MOST_IN_MEMORY) known.delete(known.keys().next().value!);
    return live;
  }

  /** A snapshot that is damaged, or of rewards that are gone, is no loss: all is learnt again. */
  async function fromSnapshot(sql: Sql, live: LivePolicy): Promise<Learnt> {
    const { version } = live.policy;
    const [row] = await sql<{ state: Snapshot }>('select state from policy_state where site_id = $1 and policy = $2', [
      ...[ALL_SITES, version],
    ]);
    if (!row) return { ...live, seq: 0, last: '' };
    try {
      const { seq, last, state } = row.state;
      if (await stillTrue(sql, { seq, last })) {
        live.policy.restore({ policy: version, state });
        return { ...live, seq, last };
      }
    } catch (error) {
      log.warn({ err: error, policy: version }, 'the stored state of the advice policy is not used; it learns anew');
    }
    return { ...createLivePolicy(live.name), seq: 0, last: '' };
  }

  return {
    use: (tenant, name, work) =>
      inTurn(tenant, () => db.asTenant(tenant, async (sql) => work(await current(sql, tenant, name), sql))),

    async replay(tenant, row) {
      const logged = loggedOf(row);
      if (!logged || row.learnt === null) return ['it was made by the first release, which did not keep its state'];
      const live = livePolicyOf(logged.policy);
      if (!live) return [`this release no longer has the policy ${logged.policy}`];
      const { learnt } = row;
      const again = { ...live, seq: 0, last: '' };
      await db.asTenant(tenant, (sql) => catchUp(sql, again, learnt));
      return again.seq === learnt ? replayFaults(again.policy, logged) : ['rewards of that time are no longer there'];
    },
  };
}

/** Whether the newest reward that it knows is still there: a demo that left takes its rewards along. */
async function stillTrue(sql: Sql, { seq, last }: Pick<Learnt, 'seq' | 'last'>): Promise<boolean> {
  if (seq === 0) return true;
  const [row] = await rewardsFrom(sql, seq, 1);
  return row?.seq === seq && row.id === last;
}

/** Learns what came after `live.seq`, up to and including `until`, in order. */
async function catchUp(sql: Sql, live: Learnt, until: number): Promise<void> {
  let page: RewardRow[];
  do {
    page = (await rewardsFrom(sql, live.seq + 1, PAGE)).filter(({ seq }) => seq <= until);
    for (const { seq, id, outcome } of page) {
      learnFrom(live, outcome);
      Object.assign(live, { seq, last: id });
    }
  } while (page.length === PAGE);
}

/** A reward that cannot be read, or is under features of another release, teaches nothing and stops nothing. */
function learnFrom({ policy }: LivePolicy, outcome: RewardRow['outcome']): void {
  const features = [...(outcome.context ?? []), ...(outcome.features ?? [])];
  if (features.length === INPUTS && features.every(Number.isFinite) && Number.isFinite(outcome.reward))
    policy.update([outcome]);
}

async function saveSnapshot(sql: Sql, tenant: string, { policy, seq, last }: Learnt): Promise<void> {
  const snapshot: Snapshot = { seq, last, state: policy.snapshot().state };
  await sql(
    `insert into policy_state (tenant_id, site_id, policy, state) values ($1, $2, $3, $4)
     on conflict (tenant_id, site_id, policy) do update set state = excluded.state, updated_at = now()`,
    [tenant, ALL_SITES, policy.version, JSON.stringify(snapshot)],
  );
}
