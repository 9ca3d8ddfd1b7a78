/**
 * Values that a person sets over readings, with who, when, why and the old values; taken back and brought again.
 *
 * An act and all its values are in the database (state `begun`) and in the audit log before the series store hears of
 * it; when the store has it and its slots are computed, it is `done`. What a kill left `begun` is finished at the next
 * start. What the store refused is `revoking` until the store surely does not have it, then `refused`.
 */

import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { quantityInfo } from '../../engine/model/quantity.ts';
import type { MeterPoint } from '../../engine/model/site.ts';
import type { Repair, Sql } from '../../engine/ports.ts';
import type { RepairChoice } from '../../engine/quality/repair.ts';
import { type Overlay, sameOverlay } from '../../engine/quality/repair-stack.ts';
import type { WorkerSeries } from '../series.ts';
import type { Actor, Base, JobService, MeterService, PriceService, SiteService } from '../services.ts';
import { writeAudit } from './audit.ts';
import { createTurns } from './in-turn.ts';
import { planEffect, type RepairAsked, type RepairEffect } from './repairs/effect.ts';
import { bySeries, NOTHING, overlayOf, overlaysIn, together } from './repairs/instants.ts';
import { type ActKind, type ActRow, actOf, type Change, changesOf, insertAct, wantedOverlays } from './repairs/rows.ts';
import { createSettling } from './repairs/settling.ts';

export type { RepairAsked, RepairEffect } from './repairs/effect.ts';

export type RepairDeps = Pick<Base, 'db' | 'clock' | 'log'> & {
  series: Pick<WorkerSeries, 'readings' | 'list'> & {
    slots: Pick<WorkerSeries['slots'], 'read'>;
    drain: Pick<WorkerSeries['drain'], 'onState'>;
  };
  meters: Pick<MeterService, 'get'>;
  site: Pick<SiteService, 'get' | 'tenants'>;
  sitePrices: PriceService['site'];
  jobs: Pick<JobService, 'send'>;
  ratingOf?(point: MeterPoint): { rated_power_W?: number };
};

/** One act, for people. */
export type RepairAct = {
  id: string;
  meter: string;
  quantity: string;
  from_ms: number;
  to_ms: number;
  kind: ActKind;
  amount: number | null;
  target: string | null;
  taken_back: boolean;
  state: ActRow['state'];
  by: string;
  at_ms: number;
  reason: string;
  count: number;
};
/** `before` and `after` are what was shown and counted; null where there was no value. */
export type RepairChange = { at_ms: number; before: number | null; after: number | null; lifted: boolean };

export interface RepairService {
  /** What a repair would change; stores nothing. @throws NotFoundError, InvalidDataError, UnavailableError */
  preview(tenant: string, asked: RepairAsked): Promise<RepairEffect>;
  /** Slots, totals and costs follow before it resolves. @throws as `preview` */
  apply(actor: Actor, asked: RepairAsked, reason: string): Promise<{ id: string; count: number }>;
  /** Single instants, all or nothing of the check; `value` null is missing, undefined lifts what lies over the reading. */
  set(actor: Actor, reason: string, repairs: readonly Omit<Repair, 'by'>[]): Promise<{ ids: string[] }>;
  /** As if it had never been made, though later repairs stay (engine/quality/repair-stack.ts); is an act itself. */
  undo(actor: Actor, id: string, reason: string): Promise<{ id: string }>;
  /** Takes an `undo` back. */
  redo(actor: Actor, id: string, reason: string): Promise<{ id: string }>;
  /** Newest first. */
  list(tenant: string, meter: string | null, options: { limit: number; before?: number }): Promise<RepairAct[]>;
  /** The old and new values of one act, oldest first. @throws NotFoundError */
  changes(tenant: string, id: string, limit: number): Promise<{ act: RepairAct; changes: RepairChange[] }>;
}

const REASON_MAX = 500;

/** `start` finishes what a former run left unfinished, again each time the store comes back. */
export function createRepairService(deps: RepairDeps): RepairService & { start(): void; stop(): void } {
  const { db, series, log } = deps;
  /** One act of a tenant at a time: each is planned on what the one before left. */
  const inTurn = createTurns();
  const { carryOut, recover } = createSettling(deps);
  let stopListening = () => {};

  type Draft = {
    meter: string;
    quantity: string;
    from_ms: number;
    to_ms: number;
    kind: ActKind;
    amount: number | null;
  };
  async function act(actor: Actor, draft: Draft, changes: readonly Change[], reason: string, target: ActRow | null) {
    const { meter, quantity, from_ms, to_ms, kind, amount } = draft;
    const { tenant, person } = actor;
    const id = await db.asTenant(tenant, async (sql) => {
      const row = { meter_id: meter, quantity, from_ms, to_ms, kind, amount, target_id: target?.id ?? null };
      const made = await insertAct(
        sql,
        tenant,
        { ...row, by: person, at: new Date(deps.clock.now()), reason },
        changes,
      );
      if (target) await sql('update repair_act set taken_back = $2 where id = $1', [target.id, kind === 'undo']);
      const span = { quantity, from: new Date(from_ms).toISOString(), to: new Date(to_ms).toISOString() };
      const detail = {
        reason,
        repair: made,
        kind,
        ...span,
        values: changes.length,
        ...(amount === null ? {} : { amount }),
      };
      const word = kind === 'undo' ? 'undo repair' : kind === 'redo' ? 'redo repair' : 'repair readings';
      await writeAudit(sql, actor, word, meter, target ? { ...detail, target: target.id } : detail);
      return made;
    });
    await carryOut(actor, id);
    return { id, count: changes.length };
  }

  const recoverAll = () => {
    for (const tenant of deps.site.tenants())
      inTurn(tenant, () => recover(tenant)).catch((error: unknown) =>
        log.warn({ err: error, tenant_id: tenant }, 'repairs wait for the series store'),
      );
  };

  async function turn(actor: Actor, id: string, reason: string, kind: 'undo' | 'redo'): Promise<{ id: string }> {
    checkReason(reason);
    return inTurn(actor.tenant, async () => {
      await recover(actor.tenant);
      const { tenant } = actor;
      const asked = await db.asTenant(tenant, (sql) => findAct(sql, id));
      const target = asked.target_id ? await db.asTenant(tenant, (sql) => findAct(sql, asked.target_id!)) : asked;
      requireSeries(deps.meters, tenant, target.meter_id, target.quantity);
      if (target.state !== 'done') throw new InvalidDataError('This repair was refused.', 'There is nothing to undo.');
      if (target.taken_back === (kind === 'undo'))
        throw new InvalidDataError(
          kind === 'undo' ? 'This repair was taken back already.' : 'This repair stands.',
          kind === 'undo' ? 'It can be brought again.' : 'It can be taken back.',
        );
      const changes = await turnedChanges(tenant, target);
      const draft = { meter: target.meter_id, quantity: target.quantity, kind, amount: null };
      return act(actor, { ...draft, from_ms: target.from_ms, to_ms: target.to_ms }, changes, reason, target);
    });
  }

  async function turnedChanges(tenant: string, target: ActRow): Promise<Change[]> {
    const [now, then] = await db.asTenant(tenant, async (sql) => [
      await wantedOverlays(sql, target.id, null),
      await wantedOverlays(sql, target.id, target.id),
    ]);
    const instants = [...now.keys()].filter((at) => !sameOverlay(now.get(at)!, then.get(at)!)).sort((a, b) => a - b);
    const shown = await shownAt(tenant, target.meter_id, target.quantity, instants);
    return instants.map((at_ms) => ({
      at_ms,
      before: { set: now.get(at_ms)!.set, value: shown.get(at_ms)?.value ?? null },
      after: then.get(at_ms)!,
    }));
  }

  /** What is shown and counted at these instants, ascending, and what lies over the readings. */
  async function shownAt(tenant: string, meter: string, quantity: string, instants: readonly number[]) {
    const found = new Map<number, Overlay>();
    for (const [from_ms, last_ms] of together(instants)) {
      const range = { meter, quantity, from_ms, to_ms: last_ms + 1 };
      for (const [at, overlay] of overlaysIn(await series.readings.read(tenant, range))) found.set(at, overlay);
    }
    return found;
  }

  return {
    async preview(tenant, asked) {
      requireSeries(deps.meters, tenant, asked.meter, asked.quantity);
      return (await planEffect(deps, tenant, asked)).effect;
    },
    async apply(actor, asked, reason) {
      checkReason(reason);
      requireSeries(deps.meters, actor.tenant, asked.meter, asked.quantity);
      return inTurn(actor.tenant, async () => {
        await recover(actor.tenant);
        const { values, readings } = await planEffect(deps, actor.tenant, asked);
        const shown = overlaysIn(readings);
        const changes = values.map(({ at_ms, value }): Change => {
          const after: Overlay = value === null ? { set: 2, value: null } : { set: 1, value };
          return { at_ms, before: shown.get(at_ms) ?? NOTHING, after };
        });
        const { meter, quantity, from_ms, to_ms, choice } = asked;
        const draft = { meter, quantity, from_ms, to_ms, kind: choice.kind, amount: amountOf(choice) };
        return act(actor, draft, changes, reason, null);
      });
    },
    async set(actor, reason, repairs) {
      checkReason(reason);
      for (const { meter, quantity } of repairs) requireSeries(deps.meters, actor.tenant, meter, quantity);
      return inTurn(actor.tenant, async () => {
        await recover(actor.tenant);
        const ids: string[] = [];
        const drafts = [];
        for (const list of bySeries(repairs)) {
          const { meter, quantity } = list[0]!;
          const shown = await shownAt(
            actor.tenant,
            meter,
            quantity,
            list.map((one) => one.at_ms),
          );
          const changes = list.map(
            (one): Change => ({
              at_ms: one.at_ms,
              before: shown.get(one.at_ms) ?? NOTHING,
              after: overlayOf(one.value),
            }),
          );
          const kind = list.every((one) => one.value === undefined) ? ('lift' as const) : ('values' as const);
          drafts.push({
            draft: { meter, quantity, from_ms: list[0]!.at_ms, to_ms: list.at(-1)!.at_ms, kind, amount: null },
            changes,
          });
        }
        for (const { draft, changes } of drafts) ids.push((await act(actor, draft, changes, reason, null)).id);
        return { ids };
      });
    },
    undo: (actor, id, reason) => turn(actor, id, reason, 'undo'),
    redo: (actor, id, reason) => turn(actor, id, reason, 'redo'),
    list: (tenant, meter, { limit, before }) =>
      db.asTenant(tenant, async (sql) => {
        const rows = await sql<ActRow & { count: number }>(
          `${ACTS} where ($1::text is null or meter_id = $1) and ($2::bigint is null or n < $2) order by n desc limit $3`,
          [meter, before ?? null, Math.min(Math.max(1, limit), 200)],
        );
        return rows.map(shownAct);
      }),
    changes: (tenant, id, limit) =>
      db.asTenant(tenant, async (sql) => {
        await findAct(sql, id);
        const [row] = await sql<ActRow & { count: number }>(`${ACTS} where id = $1`, [id]);
        const changes = await changesOf(sql, id, limit);
        return {
          act: shownAct(row!),
          changes: changes.map(({ at_ms, before, after }) => ({
            ...{ at_ms, before: before.value, after: after.value, lifted: after.set === 0 },
          })),
        };
      }),
    start() {
      recoverAll();
      stopListening = series.drain.onState(({ up }) => up && recoverAll());
    },
    stop: () => stopListening(),
  };
}

const ACTS = 'select a.*, (select count(*)::int from repair_value v where v.act_id = a.id) as count from repair_act a';

function shownAct({ meter_id, target_id, at, ...row }: ActRow & { count: number }): RepairAct {
  const { id, quantity, from_ms, to_ms, kind, amount, taken_back, state, by, reason, count } = row;
  const act = { id, meter: meter_id, quantity, from_ms, to_ms, kind, amount, target: target_id, taken_back, state };
  return { ...act, by, at_ms: at.getTime(), reason, count };
}

async function findAct(sql: Sql, id: string): Promise<ActRow> {
  const row = /^[0-9a-f-]{36}$/i.test(id) ? await actOf(sql, id) : null;
  if (row) return row;
  throw new NotFoundError('There is no such repair.', 'GET /api/v1/data/repairs lists them.');
}

function amountOf(choice: RepairChoice): number | null {
  return choice.kind === 'value' ? choice.value : choice.kind === 'energy' ? choice.energy : null;
}

function checkReason(reason: string): void {
  if (reason.trim() !== '' && reason.length <= REASON_MAX) return;
  throw new InvalidDataError('A repair needs a reason.', `Give one of at most ${REASON_MAX} characters.`);
}

/** @throws NotFoundError for an unknown meter point, InvalidDataError for a virtual one or an unknown quantity. */
export function requireSeries(
  meters: Pick<MeterService, 'get'>,
  tenant: string,
  meter: string,
  quantity: string,
): void {
  const point = meters.get(tenant, meter);
  if (!point) throw new NotFoundError(`There is no meter point "${meter}".`, 'GET /api/v1/meters lists them.');
  if (point.virtual)
    throw new InvalidDataError(`"${meter}" is computed from others.`, 'Repair the meter points it is made of.');
  if (!quantityInfo(quantity))
    throw new InvalidDataError(`"${quantity}" is no quantity.`, 'docs/reference/api.md lists them.');
}
