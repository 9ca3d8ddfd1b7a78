/** Removes all that the demo left in the stores; what a person added meanwhile stays. */
import type { Sql } from '../../../engine/ports.ts';
import type { Actor, SiteSettings } from '../../services.ts';
import type { DemoServiceDeps } from '../demo.ts';
import { eraseReadings } from '../erasure.ts';
import { removeArtefacts } from '../models/erase.ts';

type Deps = Pick<
  DemoServiceDeps,
  'clock' | 'db' | 'devices' | 'files' | 'journal' | 'log' | 'meters' | 'quarantine' | 'regulation' | 'series' | 'site'
>;

/**
 * Without devices of one's own the tenant is as before set-up: no site, no series, no decisions. With some, the site
 * stays, no longer a demo, for the meter points belong to it.
 */
export async function eraseDemo(deps: Deps, actor: Actor, settings: SiteSettings): Promise<void> {
  const { db, devices, meters, regulation, site } = deps;
  const { tenant } = actor;
  for (const { id, demo } of await regulation.documents(tenant)) if (demo) await regulation.remove(actor, id);
  const marked = await db.asTenant(tenant, async (sql) => ({
    devices: await sql<{ id: string }>('select id from device where demo order by created_at, id'),
    points: await sql<{ id: string }>(
      'select id from meter_point where demo order by virtual is null, parent_id is null',
    ),
  }));
  // computed ones first, then parts, then what they are a part of
  const gone = marked.points.map(({ id }) => id);
  for (const { id } of marked.points)
    if (meters.list(tenant).some((point) => point.id === id && point.virtual)) await meters.remove(actor, id);
  for (const { id } of marked.devices.toReversed()) await devices.remove(actor, id, { erase_readings: false });
  const stays = devices.list(tenant).length > 0 || meters.list(tenant).some(({ id }) => !gone.includes(id));
  await eraseReadings(deps, tenant, stays ? gone : null);
  await removeArtefacts(deps, tenant);
  await db.asTenant(tenant, async (sql) => {
    await sql('delete from quality_report where meter_id = any($1)', [gone]);
    await sql('delete from repair_act where meter_id = any($1)', [gone]);
    await sql('delete from alert where object = any($1) or $2::boolean', [gone, !stays]);
    await eraseLearnt(sql, gone, stays);
    // the rest of plans goes with their devices or with the site
    await sql(`delete from plan_device where settings ->> 'soc_meter' = any($1) or settings ->> 'meter' = any($1)`, [
      gone,
    ]);
    // Models that learned from what is gone.
    for (const table of ['model_live', 'prediction', 'features_hourly', 'model_run']) await sql(`delete from ${table}`);
    await sql('delete from plan');
    // files that were loaded into meter points of the demo may be loaded again
    await sql(stays ? `update data_load set sha256 = ''` : 'delete from data_load');
    await sql(
      `delete from setting where name = 'demo' or (not $1::boolean and (name like 'advice%' or name like 'plan%'))`,
      [stays],
    );
  });
  if (stays) await site.save(actor, site.get(tenant) ?? settings, { demo: false });
  else await site.remove(actor);
  await meters.refresh(tenant);
}

/** What was decided, asked, found unusual and measured of a site that was made up, with what hangs on it. */
const SINCE = [
  ['decision', 'at'],
  ['conversation', 'created_at'],
  ['model_audit', 'at'],
  ['model_eval_results', 'at'],
  ['retrieval_evaluation', 'at'],
  ['anomaly', 'opened_at'],
] as const;

/**
 * Decisions since the demo began were made on its numbers, feedback goes with them. What is older stays, and so do a
 * person's own steps that named nothing of the demo, where the tenant goes on with devices of its own.
 */
async function eraseLearnt(sql: Sql, gone: readonly string[], stays: boolean): Promise<void> {
  const [row] = await sql<{ value: { started_ms?: number } }>(`select value from setting where name = 'demo'`);
  const since_ms = row?.value.started_ms ?? 0;
  for (const [table, at] of SINCE)
    await sql(`delete from ${table} where not $1::boolean or ${at} >= to_timestamp($2 / 1000.0)`, [stays, since_ms]);
  await sql('delete from policy_state where not $1::boolean or not exists (select 1 from decision)', [stays]);
  await sql(
    `delete from usage_event where not $1::boolean
       or (at >= to_timestamp($2 / 1000.0) and exists (select 1 from unnest($3::text[]) as id where position(id in object) > 0))`,
    [stays, since_ms, gone],
  );
}
