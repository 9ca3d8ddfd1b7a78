/** The movable devices of a site, how a plan is made, and what people set by hand: rows, checked by their schema. */
import type { z } from 'zod';
import {
  type PlanDevice,
  PlanDeviceSchema,
  type PlanSettings,
  PlanSettingsSchema,
} from '../../../engine/dispatch/plan-devices.ts';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import type { Actor } from '../../services.ts';

export type StoredOverride = {
  id: string;
  device: string;
  from_ms: number;
  to_ms: number;
  power_W: number;
  cost: number | null;
  by: string;
};

/** @throws InvalidDataError with one fault for each wrong field */
export function parseWith<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.infer<Schema> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => ({ where: path.join('.') || what, problem: message }));
  const words = faults.slice(0, 5).map(({ where, problem }) => `${where}: ${problem}`);
  throw new InvalidDataError(
    `${what} has ${faults.length === 1 ? 'a fault' : 'faults'}: ${words.join('; ')}.`,
    'Change these fields.',
    faults,
  );
}

export async function readDevices(sql: Sql, site: string): Promise<PlanDevice[]> {
  const rows = await sql<{ settings: unknown }>('select settings from plan_device where site_id = $1 order by id', [
    site,
  ]);
  return rows.flatMap(({ settings }) => {
    const read = PlanDeviceSchema.safeParse(settings);
    return read.success ? [read.data] : [];
  });
}

/** @returns what stood there before; null for a new one */
export async function storeDevice(
  sql: Sql,
  { tenant, person }: Actor,
  site: string,
  device: PlanDevice,
  at_ms: number,
): Promise<PlanDevice | null> {
  const [former] = await sql<{ settings: PlanDevice }>(
    'select settings from plan_device where site_id = $1 and id = $2',
    [site, device.id],
  );
  await sql(
    `insert into plan_device (tenant_id, site_id, id, settings, by, at) values ($1, $2, $3, $4, $5, to_timestamp($6 / 1000.0))
     on conflict (tenant_id, site_id, id) do update set settings = excluded.settings, by = excluded.by, at = excluded.at`,
    [tenant, site, device.id, JSON.stringify(device), person, at_ms],
  );
  return former?.settings ?? null;
}

export async function dropDevice(sql: Sql, site: string, id: string): Promise<void> {
  const gone = await sql('delete from plan_device where site_id = $1 and id = $2 returning id', [site, id]);
  if (gone.length === 0)
    throw new NotFoundError(`There is no device "${id}" in the plan.`, 'GET /api/v1/plan/devices lists them.');
}

export async function readPlanSettings(sql: Sql): Promise<PlanSettings> {
  const [row] = await sql<{ value: unknown }>(`select value from setting where name = 'plan'`);
  const read = PlanSettingsSchema.safeParse(row?.value ?? {});
  return read.success ? read.data : PlanSettingsSchema.parse({});
}

export async function storePlanSettings(sql: Sql, tenant: string, settings: PlanSettings): Promise<void> {
  await sql(
    `insert into setting (tenant_id, name, value) values ($1, 'plan', $2)
     on conflict (tenant_id, name) do update set value = excluded.value`,
    [tenant, JSON.stringify(settings)],
  );
}

type OverrideRow = Omit<StoredOverride, 'from_ms' | 'to_ms' | 'device' | 'power_W'> & {
  device_id: string;
  power_w: number;
  from_at: Date;
  to_at: Date;
};

/** Those that are not over. */
export async function readOverrides(sql: Sql, site: string, now_ms: number): Promise<StoredOverride[]> {
  const rows = await sql<OverrideRow>(
    `select id, device_id, from_at, to_at, power_w, cost, by from plan_override
      where site_id = $1 and to_at > to_timestamp($2 / 1000.0) order by from_at, at`,
    [site, now_ms],
  );
  return rows.map(({ device_id, from_at, to_at, power_w, ...rest }) => ({
    ...{ ...rest, device: device_id, power_W: power_w, from_ms: from_at.getTime(), to_ms: to_at.getTime() },
  }));
}

export async function storeOverride(
  sql: Sql,
  { tenant, person }: Actor,
  site: string,
  override: Omit<StoredOverride, 'id' | 'by'>,
  at_ms: number,
): Promise<string> {
  const [row] = await sql<{ id: string }>(
    `insert into plan_override (tenant_id, site_id, device_id, from_at, to_at, power_w, cost, by, at)
      values ($1, $2, $3, to_timestamp($4 / 1000.0), to_timestamp($5 / 1000.0), $6, $7, $8, to_timestamp($9 / 1000.0)) returning id`,
    [tenant, site, override.device, override.from_ms, override.to_ms, override.power_W, override.cost, person, at_ms],
  );
  return row!.id;
}
