/** Plans as they are kept and shown: rounded, with names, reasons and what they are measured against. */
import type { RuleName } from '../../../engine/dispatch/baselines.ts';
import type { PlanDevice } from '../../../engine/dispatch/plan-devices.ts';
import type { PlanReport, SlotReason } from '../../../engine/dispatch/plan-report.ts';
import type {
  DeviceKind,
  GaveWay,
  Override,
  PlanCost,
  PlanInput,
  PlanProof,
  Reduction,
} from '../../../engine/dispatch/site.ts';
import type { Sql } from '../../../engine/ports.ts';

export type PlanCause =
  | 'schedule'
  | 'prices'
  | 'forecast'
  | 'tariff'
  | 'reality'
  | 'devices'
  | 'override'
  | 'signal'
  | 'person';

/** What was taken for lack of better, so that it can be said. */
export type Assumption =
  | { code: 'price-forecast'; from_ms: number }
  | { code: 'shorter-horizon'; hours: number }
  | { code: 'peak-gaps'; slots: number }
  | { code: 'arrival'; device: string }
  | { code: 'heat-store'; device: string }
  | { code: 'nowcast'; power_W: number };

export type PlannedDevice = {
  id: string;
  name: string;
  kind: DeviceKind;
  /** + discharges, − charges or draws. */
  power_W: number[];
  /** At the end of each slot. */
  energy_kWh: number[];
  /** What `energy_kWh` counts up to; null for loads, which store nothing. */
  capacity_kWh: number | null;
  stored_value_per_kWh: number[];
  reasons: SlotReason[];
};

export type PlanBody = {
  from_ms: number;
  slot_min: number;
  currency: string;
  import_price: number[];
  export_price: number[];
  load_W: number[];
  generation_W: number[];
  /** + is import. */
  grid_W: number[];
  /** Without any plan: batteries idle, cars charge when they come. */
  unplanned_W: number[];
  curtailed_W: number[];
  marginal_per_kWh: number[];
  devices: PlannedDevice[];
  cost: PlanCost;
  baselines: { name: RuleName; cost: PlanCost }[];
  /** Against no plan and batteries at rest, and against the best of the simple rules. */
  saving: { none: number; rule: number; best_rule: RuleName };
  gave_way: GaveWay[];
  proof: PlanProof;
  overrides: readonly Override[];
  reductions: readonly Reduction[];
  assumptions: Assumption[];
};
export type StoredPlan = PlanBody & { id: string; made_ms: number; cause: PlanCause };

const round = (values: ArrayLike<number>, digits: number): number[] => {
  const factor = 10 ** digits;
  // no −0, which JSON would keep for nobody
  return Array.from(values, (value) => Math.round(value * factor) / factor + 0);
};

export function planBody(
  report: PlanReport,
  input: PlanInput,
  site: { currency: string; devices: readonly PlanDevice[]; assumptions: readonly Assumption[] },
): PlanBody {
  const { plan, baselines, reasons } = report;
  const [none, ...rules] = baselines;
  const best = rules.reduce((least, one) => (one.cost.total < least.cost.total ? one : least), none!);
  return {
    ...{ from_ms: plan.from_ms, slot_min: plan.slot_min, currency: site.currency },
    import_price: round(input.import_price as number[], 6),
    export_price: round(input.export_price as number[], 6),
    load_W: round(input.load_W as number[], 0),
    generation_W: round(input.generation_W as number[], 0),
    grid_W: round(plan.grid_W, 0),
    unplanned_W: round(none!.grid_W, 0),
    curtailed_W: round(plan.curtailed_W, 0),
    marginal_per_kWh: round(plan.marginal_per_kWh, 5),
    devices: plan.devices.map(({ id, kind, power_W, energy_kWh, stored_value_per_kWh }) => ({
      ...{ id, kind, power_W: round(power_W, 0), energy_kWh: round(energy_kWh, 3) },
      name: site.devices.find((one) => one.id === id)?.name ?? id,
      capacity_kWh: capacityOf(site.devices.find((one) => one.id === id)),
      stored_value_per_kWh: round(stored_value_per_kWh, 5),
      reasons: reasons[id] ?? [],
    })),
    cost: plan.cost,
    baselines: baselines.map(({ name, cost }) => ({ name, cost })),
    saving: {
      ...{ none: none!.cost.total - plan.cost.total, rule: best.cost.total - plan.cost.total },
      best_rule: best.name,
    },
    gave_way: [...plan.gave_way],
    proof: plan.proof,
    overrides: input.overrides ?? [],
    reductions: input.reductions,
    assumptions: [...site.assumptions],
  };
}

function capacityOf(device: PlanDevice | undefined): number | null {
  if (device?.kind === 'battery' || device?.kind === 'vehicle') return device.capacity_kWh;
  return device?.kind === 'heat-pump' ? device.store_kWh : null;
}

type Row = { id: string; made_at: Date; cause: PlanCause; body: PlanBody };
const KEEP_DAYS = 7;

export async function insertPlan(
  sql: Sql,
  tenant: string,
  site: string,
  made_ms: number,
  cause: PlanCause,
  body: PlanBody,
): Promise<string> {
  const [row] = await sql<{ id: string }>(
    `insert into plan (tenant_id, site_id, made_at, cause, body) values ($1, $2, to_timestamp($3 / 1000.0), $4, $5) returning id`,
    [tenant, site, made_ms, cause, JSON.stringify(body)],
  );
  await sql(`delete from plan where made_at < to_timestamp($1 / 1000.0) - interval '${KEEP_DAYS} days'`, [made_ms]);
  return row!.id;
}

export async function newestPlan(sql: Sql, site: string): Promise<StoredPlan | null> {
  const [row] = await sql<Row>(
    'select id, made_at, cause, body from plan where site_id = $1 order by made_at desc limit 1',
    [site],
  );
  return row ? { ...row.body, id: row.id, made_ms: row.made_at.getTime(), cause: row.cause } : null;
}

/** Index of the slot that holds the instant; −1 outside the plan. */
export function slotIndex({ from_ms, slot_min, grid_W }: PlanBody, at_ms: number): number {
  const t = Math.floor((at_ms - from_ms) / (slot_min * 60_000));
  return t >= 0 && t < grid_W.length ? t : -1;
}
