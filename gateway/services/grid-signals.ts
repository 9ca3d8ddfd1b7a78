/**
 * What grid operators ask under §14a EnWG: signals by HTTP, MQTT or a mapped Modbus register. A signal holds from the
 * instant it comes, without waiting for a plan; each is kept with what the controllable devices drew meanwhile.
 */
import { z } from 'zod';
import type { PlanDevice } from '../../engine/dispatch/plan-devices.ts';
import { guaranteedMinimum_W, subjectTo14a } from '../../engine/dispatch/section-14a.ts';
import type { Reduction } from '../../engine/dispatch/site.ts';
import { type Fault, InvalidDataError } from '../../engine/errors.ts';
import type { Device } from '../../engine/model/site.ts';
import type { Sql } from '../../engine/ports.ts';
import type { Actor, Base, LiveValues, SiteService } from '../services.ts';
import { writeAudit } from './audit.ts';
import { parseWith } from './plans/devices.ts';

export type SignalSource = 'http' | 'mqtt' | 'modbus' | 'person';
export type GridSignal = {
  id: string;
  source: SignalSource;
  received_ms: number;
  from_ms: number;
  /** null: until it is taken back. */
  to_ms: number | null;
  asked_W: number;
  /** What the devices may always draw together, by the ruling. */
  minimum_W: number;
  /** What is obeyed: never below the minimum. */
  limit_W: number;
  devices: readonly string[];
  obeyed_ms: number | null;
  ended_ms: number | null;
};
/** `drawn_W` null: a device of it is not measured. */
export type SignalDraw = { at_ms: number; drawn_W: number | null; detail: Readonly<Record<string, number | null>> };
export type AskedSignal = {
  source: SignalSource;
  limit_W: number;
  from_ms?: number | undefined;
  to_ms?: number | null | undefined;
};

export const GridInputsSchema = z.strictObject({
  mqtt: z
    .strictObject({
      device: z.string().min(1).describe('Device of the box that publishes to meters/<device>/grid-limit.'),
    })
    .nullable()
    .default(null),
  modbus: z
    .strictObject({
      device: z.string().min(1).describe('Device of the box with a Modbus connection.'),
      function: z.union([z.literal(3), z.literal(4)]).default(3),
      register: z.int().min(0).max(65_535),
      mask: z.int().min(1).max(65_535).default(1).describe('The signal holds while one of these bits is set.'),
      active_low: z.boolean().default(false).describe('It holds while none of them is set.'),
      limit_W: z
        .number()
        .min(0)
        .max(1e8)
        .default(0)
        .describe('What the signal asks for; never less than the minimum is obeyed.'),
    })
    .nullable()
    .default(null),
});
export type GridInputs = z.infer<typeof GridInputsSchema>;

export interface GridSignalService {
  /** Those that hold now, from memory. */
  active(tenant: string): readonly GridSignal[];
  /** For plans: one that has no end is taken to last two hours more. */
  reductions(tenant: string): readonly Reduction[];
  /** The strictest limit of those that hold, for the devices it names; null: none holds. */
  limit(tenant: string): { limit_W: number; devices: readonly string[] } | null;
  /** What the site's controllable devices may always draw together. */
  minimum_W(tenant: string): Promise<{ minimum_W: number; devices: readonly string[] }>;
  /** Replaces the signal of the same source. @throws InvalidDataError where no device is controllable */
  signal(tenant: string, asked: AskedSignal): Promise<GridSignal>;
  /** Takes back the signal of a source; false where none held. */
  end(tenant: string, source: SignalSource): Promise<boolean>;
  /** Notes that what keeps it has gone out. */
  obeyed(tenant: string): Promise<void>;
  /** Newest first. */
  list(tenant: string, from_ms: number, to_ms: number): Promise<GridSignal[]>;
  draws(tenant: string, signal: string): Promise<SignalDraw[]>;
  inputs(tenant: string): Promise<GridInputs>;
  saveInputs(actor: Actor, inputs: unknown): Promise<GridInputs>;
  /** Told whenever what holds changes. @returns a function that ends it */
  onChange(listener: (tenant: string) => void): () => void;
}

export type GridSignalDeps = Pick<Base, 'db' | 'clock' | 'log'> & {
  site: Pick<SiteService, 'get' | 'tenants'>;
  live: Pick<LiveValues, 'of'>;
  devices: (tenant: string) => Promise<PlanDevice[]>;
  /** Devices of the box that signals come from. */
  boxDevice: (tenant: string, id: string) => Device | null;
};

const WITHOUT_END_MS = 2 * 3_600_000;
const DRAW_EVERY_MS = 60_000;
const FRESH_MS = 2 * 60_000;
const SIGNAL_LATE_MS = 60_000;

/** `start` takes up again what held before a restart, and begins to log what is drawn. */
export function createGridSignals(deps: GridSignalDeps): GridSignalService & { start(): Promise<void>; stop(): void } {
  const { db, clock, log } = deps;
  const holding = new Map<string, GridSignal[]>();
  const listeners = new Set<(tenant: string) => void>();
  let timer: NodeJS.Timeout | undefined;

  const siteOf = (tenant: string): string => {
    const site = deps.site.get(tenant);
    if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
    return site.id;
  };
  const tell = (tenant: string) => {
    for (const listener of listeners) listener(tenant);
  };
  const active = (tenant: string) => {
    const now_ms = clock.now();
    return (holding.get(tenant) ?? []).filter(
      ({ from_ms, to_ms }) => from_ms <= now_ms && (to_ms === null || to_ms > now_ms),
    );
  };
  const replace = (tenant: string, change: (signals: GridSignal[]) => GridSignal[]) =>
    holding.set(tenant, change(holding.get(tenant) ?? []));

  async function minimum(tenant: string) {
    const all = await deps.devices(tenant);
    const controllable = subjectTo14a(
      all.flatMap(({ id, section_14a }) => (section_14a ? [{ id, ...section_14a }] : [])),
    );
    return { minimum_W: guaranteedMinimum_W(controllable), devices: controllable.map(({ id }) => id) };
  }

  async function endOne(tenant: string, source: SignalSource): Promise<boolean> {
    const [old] = (holding.get(tenant) ?? []).filter((one) => one.source === source);
    if (!old) return false;
    await noteDraw(tenant, old);
    await db.asTenant(tenant, (sql) =>
      sql('update grid_signal set ended_at = to_timestamp($2 / 1000.0) where id = $1 and ended_at is null', [
        old.id,
        clock.now(),
      ]),
    );
    replace(tenant, (signals) => signals.filter((one) => one !== old));
    return true;
  }

  async function noteDraw(tenant: string, signal: GridSignal): Promise<void> {
    const at_ms = clock.now();
    const devices = await deps.devices(tenant);
    const detail = Object.fromEntries(
      signal.devices.map((id) => [
        id,
        drawnBy(
          deps.live,
          tenant,
          devices.find((one) => one.id === id),
          at_ms,
        ),
      ]),
    );
    const values = Object.values(detail);
    const drawn_W = values.some((value) => value === null)
      ? null
      : values.reduce<number>((sum, value) => sum + value!, 0);
    await db.asTenant(tenant, (sql) =>
      sql(
        `insert into grid_signal_draw (tenant_id, signal_id, at, drawn_w, detail) values ($1, $2, to_timestamp($3 / 1000.0), $4, $5)
         on conflict do nothing`,
        [tenant, signal.id, at_ms, drawn_W, JSON.stringify(detail)],
      ),
    );
    if (drawn_W !== null && drawn_W <= signal.limit_W && signal.obeyed_ms === null) await setObeyed(tenant, signal);
    if (signal.obeyed_ms === null && at_ms - signal.from_ms > SIGNAL_LATE_MS)
      log.warn({ tenant_id: tenant, signal: signal.id, drawn_W }, 'a signal of the grid operator is not obeyed yet');
  }

  async function setObeyed(tenant: string, signal: GridSignal): Promise<void> {
    signal.obeyed_ms = clock.now();
    await db.asTenant(tenant, (sql) =>
      sql('update grid_signal set obeyed_at = to_timestamp($2 / 1000.0) where id = $1 and obeyed_at is null', [
        signal.id,
        signal.obeyed_ms,
      ]),
    );
  }

  /** Logs what is drawn, and lets go what is over. */
  async function tick(): Promise<void> {
    for (const [tenant, signals] of holding) {
      const now_ms = clock.now();
      for (const signal of active(tenant)) await noteDraw(tenant, signal);
      const over = signals.filter(({ to_ms }) => to_ms !== null && to_ms <= now_ms);
      for (const { source } of over) await endOne(tenant, source);
      if (over.length > 0) tell(tenant);
    }
  }

  return {
    active,
    reductions: (tenant) =>
      (holding.get(tenant) ?? []).map(({ id, from_ms, to_ms, limit_W, devices }) => ({
        ...{ id, from_ms, limit_W, devices, to_ms: to_ms ?? clock.now() + WITHOUT_END_MS },
      })),
    limit(tenant) {
      const strictest = active(tenant).reduce<GridSignal | null>(
        (least, one) => (least && least.limit_W <= one.limit_W ? least : one),
        null,
      );
      return strictest && { limit_W: strictest.limit_W, devices: strictest.devices };
    },
    minimum_W: minimum,
    async signal(tenant, { source, limit_W, from_ms, to_ms = null }) {
      const now_ms = clock.now();
      if (!(Number.isFinite(limit_W) && limit_W >= 0))
        throw new InvalidDataError('The limit is no power.', 'Give watts from 0 on.');
      if (to_ms !== null && !(to_ms > Math.max(now_ms, from_ms ?? now_ms)))
        throw new InvalidDataError('The end of the signal is not to come.', 'Leave it out where it is not known.');
      const { minimum_W, devices } = await minimum(tenant);
      if (devices.length === 0)
        throw new InvalidDataError(
          'No device of the site is controllable under §14a EnWG.',
          'Mark them on the page Plan: as what they count, and their connected power (above 4.2 kW).',
        );
      await endOne(tenant, source);
      const signal: Omit<GridSignal, 'id'> = {
        ...{ source, received_ms: now_ms, from_ms: from_ms ?? now_ms, to_ms, asked_W: limit_W, minimum_W, devices },
        ...{ limit_W: Math.max(limit_W, minimum_W), obeyed_ms: null, ended_ms: null },
      };
      const id = await db.asTenant(tenant, (sql) => insertSignal(sql, tenant, siteOf(tenant), signal));
      const kept = { ...signal, id };
      replace(tenant, (signals) => [...signals, kept]);
      log.info(
        { tenant_id: tenant, signal: id, source, asked_W: limit_W, limit_W: kept.limit_W },
        'a signal of the grid operator holds',
      );
      tell(tenant);
      await noteDraw(tenant, kept);
      return kept;
    },
    async end(tenant, source) {
      const ended = await endOne(tenant, source);
      if (ended) tell(tenant);
      return ended;
    },
    async obeyed(tenant) {
      for (const signal of active(tenant)) if (signal.obeyed_ms === null) await setObeyed(tenant, signal);
    },
    list: (tenant, from_ms, to_ms) =>
      db.asTenant(tenant, async (sql) =>
        (
          await sql<Row>(
            `select * from grid_signal where from_at < to_timestamp($2 / 1000.0) and coalesce(ended_at, now()) >= to_timestamp($1 / 1000.0)
             order by from_at desc limit 1000`,
            [from_ms, to_ms],
          )
        ).map(signalOf),
      ),
    draws: (tenant, signal) =>
      db.asTenant(tenant, async (sql) =>
        (
          await sql<{ at: Date; drawn_w: number | null; detail: Record<string, number | null> }>(
            'select at, drawn_w, detail from grid_signal_draw where signal_id::text = $1 order by at',
            [signal],
          )
        ).map(({ at, drawn_w, detail }) => ({ at_ms: at.getTime(), drawn_W: drawn_w, detail })),
      ),
    inputs: (tenant) => db.asTenant(tenant, readInputs),
    async saveInputs(actor, value) {
      const inputs = parseWith(GridInputsSchema, value, 'The inputs');
      checkInputs(deps, actor.tenant, inputs);
      await db.asTenant(actor.tenant, async (sql) => {
        await sql(
          `insert into setting (tenant_id, name, value) values ($1, 'plan grid inputs', $2)
           on conflict (tenant_id, name) do update set value = excluded.value`,
          [actor.tenant, JSON.stringify(inputs)],
        );
        await writeAudit(sql, actor, 'change grid inputs', siteOf(actor.tenant), inputs);
      });
      tell(actor.tenant);
      return inputs;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      for (const tenant of deps.site.tenants()) {
        const rows = await db.asTenant(tenant, (sql) =>
          sql<Row>(
            'select * from grid_signal where ended_at is null and (to_at is null or to_at > to_timestamp($1 / 1000.0))',
            [clock.now()],
          ),
        );
        if (rows.length > 0) holding.set(tenant, rows.map(signalOf));
      }
      timer = setInterval(() => {
        tick().catch((error: unknown) =>
          log.error({ err: error }, 'what devices draw under a signal could not be logged'),
        );
      }, DRAW_EVERY_MS).unref();
    },
    stop: () => clearInterval(timer),
  };
}

/** W that a device draws now; what gives draws 0; null where nothing measures it now. */
export function drawnBy(
  live: Pick<LiveValues, 'of'>,
  tenant: string,
  device: PlanDevice | undefined,
  now_ms: number,
): number | null {
  const meter = device?.kind === 'battery' ? device.soc_meter : device?.meter;
  const value = meter ? live.of(tenant, meter).get('power_W') : undefined;
  if (!value || now_ms - value.at_ms > FRESH_MS) return null;
  return Math.max(0, device?.kind === 'battery' ? -value.value : value.value);
}

/** @throws InvalidDataError that names a device that cannot give signals */
function checkInputs({ boxDevice }: Pick<GridSignalDeps, 'boxDevice'>, tenant: string, { mqtt, modbus }: GridInputs) {
  const faults: Fault[] = [];
  if (mqtt && !boxDevice(tenant, mqtt.device))
    faults.push({ where: 'mqtt.device', problem: `the box has no device "${mqtt.device}"` });
  if (modbus && !boxDevice(tenant, modbus.device)?.connection.kind.startsWith('modbus'))
    faults.push({ where: 'modbus.device', problem: `the box has no device "${modbus.device}" behind Modbus` });
  if (faults.length > 0)
    throw new InvalidDataError(
      `A signal cannot come from there: ${faults.map(({ problem }) => problem).join('; ')}.`,
      'Add the device under Meters first.',
      faults,
    );
}

async function readInputs(sql: Sql): Promise<GridInputs> {
  const [row] = await sql<{ value: unknown }>(`select value from setting where name = 'plan grid inputs'`);
  const read = GridInputsSchema.safeParse(row?.value ?? {});
  return read.success ? read.data : { mqtt: null, modbus: null };
}

async function insertSignal(sql: Sql, tenant: string, site: string, signal: Omit<GridSignal, 'id'>): Promise<string> {
  const { source, received_ms, from_ms, to_ms, asked_W, minimum_W, limit_W, devices } = signal;
  const [row] = await sql<{ id: string }>(
    `insert into grid_signal (tenant_id, site_id, source, received_at, from_at, to_at, asked_w, minimum_w, limit_w, devices)
      values ($1, $2, $3, to_timestamp($4 / 1000.0), to_timestamp($5 / 1000.0), to_timestamp($6 / 1000.0), $7, $8, $9, $10) returning id`,
    [tenant, site, source, received_ms, from_ms, to_ms, asked_W, minimum_W, limit_W, JSON.stringify(devices)],
  );
  return row!.id;
}

type Row = {
  id: string;
  source: SignalSource;
  received_at: Date;
  from_at: Date;
  to_at: Date | null;
  asked_w: number;
  minimum_w: number;
  limit_w: number;
  devices: string[];
  obeyed_at: Date | null;
  ended_at: Date | null;
};

function signalOf(row: Row): GridSignal {
  return {
    ...{ id: row.id, source: row.source, asked_W: row.asked_w, minimum_W: row.minimum_w, limit_W: row.limit_w },
    ...{ received_ms: row.received_at.getTime(), from_ms: row.from_at.getTime(), to_ms: row.to_at?.getTime() ?? null },
    ...{ devices: row.devices, obeyed_ms: row.obeyed_at?.getTime() ?? null, ended_ms: row.ended_at?.getTime() ?? null },
  };
}
