/** The way of an act of repair into the series store, and out of it again when the store refuses. */
import { UnavailableError } from '../../../engine/errors.ts';
import { localDate } from '../../../engine/model/time.ts';
import type { Sql } from '../../../engine/ports.ts';
import { type Overlay, repairValueOf } from '../../../engine/quality/repair-stack.ts';
import { CONTEXT_MS } from '../../../engine/quality/slots.ts';
import type { WorkerSeries } from '../../series.ts';
import type { Actor, Base, JobService, SiteService } from '../../services.ts';
import { writeAudit } from '../audit.ts';
import { type ActRow, actOf, changesOf, wantedOverlays } from './rows.ts';

export type SettlingDeps = Pick<Base, 'db' | 'log'> & {
  series: Pick<WorkerSeries, 'readings'>;
  site: Pick<SiteService, 'get'>;
  jobs: Pick<JobService, 'send'>;
};
export type Settling = {
  /** Brings an act that is `begun` into the store. @throws what the store throws; the act counts no more then. */
  carryOut(actor: Actor, id: string): Promise<void>;
  /** Finishes what a kill or a store that was away left `begun` or `revoking`, oldest first. */
  recover(tenant: string): Promise<void>;
};

export function createSettling(deps: SettlingDeps): Settling {
  const { db, log } = deps;

  /** What the store refuses is as if it had not been asked. */
  async function carryOut(actor: Actor, id: string): Promise<void> {
    try {
      await finish(actor.tenant, id);
    } catch (error) {
      await revoke(actor, id).catch((cause: unknown) => log.error({ err: cause, repair: id }, 'a repair stays begun'));
      if (!(error instanceof UnavailableError)) throw error;
      throw new UnavailableError(
        `Nothing was repaired: ${error.message}`,
        'Readings are as they were. Try again when the series store answers.',
      );
    }
  }

  async function finish(tenant: string, id: string): Promise<void> {
    const [row, changes] = await db.asTenant(tenant, async (sql) => [await actOf(sql, id), await changesOf(sql, id)]);
    if (!row) return;
    await lay(
      tenant,
      row,
      changes.map(({ at_ms, after }) => [at_ms, after]),
    );
    await settle(tenant, row, 'done');
  }

  async function lay(tenant: string, row: ActRow, overlays: Iterable<readonly [number, Overlay]>): Promise<void> {
    const repairs = Array.from(overlays, ([at_ms, overlay]) => ({
      ...{ meter: row.meter_id, quantity: row.quantity, at_ms, value: repairValueOf(overlay), by: row.by },
    }));
    await deps.series.readings.repair(tenant, repairs);
  }

  /** The state, and in the same breath what was told about those days. */
  async function settle(tenant: string, row: ActRow, state: 'done' | 'refused'): Promise<void> {
    const tz = deps.site.get(tenant)?.time_zone ?? 'UTC';
    const day = (at_ms: number) => localDate(at_ms, tz);
    await db.asTenant(tenant, async (sql) => {
      await sql('delete from quality_report where meter_id = $1 and day between $2 and $3', [
        ...[row.meter_id, day(row.from_ms - CONTEXT_MS), day(row.to_ms + CONTEXT_MS)],
      ]);
      await sql('update repair_act set state = $2 where id = $1', [row.id, state]);
    });
    await deps.jobs
      .send('forecast', { tenant, series: ['load', 'generation'] }, { dedupe: `load+generation ${tenant}` })
      .catch((error: unknown) => log.debug({ err: error, tenant }, 'the forecast follows with its schedule'));
  }

  /** From now on the act does not count; the store may have it all the same until `revert`. */
  async function revoke(actor: Actor, id: string): Promise<void> {
    await db.asTenant(actor.tenant, async (sql) => {
      const row = await actOf(sql, id);
      await sql(`update repair_act set state = 'revoking' where id = $1 and state = 'begun'`, [id]);
      if (row?.target_id)
        await sql('update repair_act set taken_back = $2 where id = $1', [row.target_id, row.kind === 'redo']);
      if (row) await writeAudit(sql, actor, 'repair refused', row.meter_id, { repair: id, quantity: row.quantity });
    });
  }

  async function revert(tenant: string, id: string): Promise<void> {
    const [row, wanted] = await db.asTenant(tenant, async (sql) => [await actOf(sql, id), await restOf(sql, id)]);
    if (!row) return;
    await lay(tenant, row, wanted);
    await settle(tenant, row, 'refused');
  }

  async function recover(tenant: string): Promise<void> {
    const open = await db.asTenant(tenant, (sql) =>
      sql<ActRow>(`select * from repair_act where state in ('begun', 'revoking') order by n`),
    );
    for (const { id, state } of open) await (state === 'begun' ? finish(tenant, id) : revert(tenant, id));
    if (open.length > 0) log.info({ tenant_id: tenant, repairs: open.length }, 'unfinished repairs were settled');
  }

  return { carryOut, recover };
}

/** What the acts other than `id` leave at its instants: what lay there before, where no other one counts. */
async function restOf(sql: Sql, id: string): Promise<Map<number, Overlay>> {
  const rest = new Map((await changesOf(sql, id)).map(({ at_ms, before }) => [at_ms, before] as const));
  for (const [at, overlay] of await wantedOverlays(sql, id, null)) rest.set(at, overlay);
  return rest;
}
