/** How much advice a site wants, and when; and what it pays for its peak, until a tariff says so. */
import { InvalidDataError } from '../../../engine/errors.ts';
import { localTime } from '../../../engine/model/time.ts';
import type { Sql } from '../../../engine/ports.ts';

export type AdviceSettings = {
  /** New pieces of advice a local day. */
  per_day: number;
  /** Minutes of the local day between which nothing new is advised; null: at any time. May pass midnight. */
  quiet: { from_min: number; to_min: number } | null;
  /** What a kW more in the month's peak costs (Leistungspreis), in the site's currency; null: nothing, or unknown. */
  demand_charge_per_kW: number | null;
};

export const ADVICE_DEFAULTS: AdviceSettings = { per_day: 6, quiet: null, demand_charge_per_kW: null };
const DAY_MIN = 24 * 60;
const MOST_A_DAY = 50;

export async function readSettings(sql: Sql): Promise<AdviceSettings> {
  const [row] = await sql<{ value: Partial<AdviceSettings> }>(`select value from setting where name = 'advice'`);
  return { ...ADVICE_DEFAULTS, ...row?.value };
}

/** @throws InvalidDataError */
export async function writeSettings(sql: Sql, tenant: string, settings: AdviceSettings): Promise<void> {
  const { per_day, quiet, demand_charge_per_kW } = settings;
  if (!Number.isInteger(per_day) || per_day < 0 || per_day > MOST_A_DAY)
    throw new InvalidDataError(`${per_day} pieces of advice a day are not possible.`, `Give 0 to ${MOST_A_DAY}.`);
  for (const minute of quiet ? [quiet.from_min, quiet.to_min] : [])
    if (!Number.isInteger(minute) || minute < 0 || minute >= DAY_MIN)
      throw new InvalidDataError('The quiet hours are no times of a day.', 'Give e.g. 22:00 and 06:00.');
  if (demand_charge_per_kW !== null && !(demand_charge_per_kW >= 0 && demand_charge_per_kW < 1e6))
    throw new InvalidDataError('The price of a kW in the peak is no price.', 'Give 0 or more.');
  await sql(
    `insert into setting (tenant_id, name, value) values ($1, 'advice', $2)
     on conflict (tenant_id, name) do update set value = excluded.value`,
    [tenant, JSON.stringify({ per_day, quiet, demand_charge_per_kW })],
  );
}

/** Whether nothing new may be advised at `at_ms`. Equal ends are no quiet time. */
export function isQuiet({ quiet }: AdviceSettings, at_ms: number, time_zone: string): boolean {
  if (!quiet) return false;
  const { hour, minute } = localTime(at_ms, time_zone);
  const now = hour * 60 + minute;
  const { from_min, to_min } = quiet;
  return from_min <= to_min ? now >= from_min && now < to_min : now >= from_min || now < to_min;
}
