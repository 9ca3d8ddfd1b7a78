/** Meter points, from memory; every change is validated, stored and audited in one transaction. */
import { type Fault, InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { MeterPoint, MeterRole, VirtualFormula } from '../../engine/model/site.ts';
import type { Sql } from '../../engine/ports.ts';
import type { Actor, Base, SiteService } from '../services.ts';
import { writeAudit } from './audit.ts';
import { ID_REMEDY, isId, textFaults } from './identifier.ts';

export interface MeterService {
  /** From memory, ordered by name. */
  list(tenant: string): readonly MeterPoint[];
  get(tenant: string, id: string): MeterPoint | null;
  /** Meter points of a device by channel. */
  ofDevice(tenant: string, device: string): readonly MeterPoint[];
  save(actor: Actor, point: Omit<MeterPoint, 'tenant' | 'site'> & { demo?: boolean }): Promise<void>;
  remove(actor: Actor, id: string): Promise<void>;
  /** Called after every change of meter points or devices. */
  onChange(listener: () => void): () => void;
  /** Reads the tenant's meter points anew and tells the listeners: for whoever changed devices. */
  refresh(tenant: string): Promise<void>;
}

const ROLES: readonly MeterRole[] = ['grid', 'generation', 'battery', 'load', 'sub-meter'];
const FORMULA_LIMIT = 64;
/** Id of a tenant's first site, also before it is set up. */
const FIRST_SITE = 'main';

type Points = ReadonlyMap<string, MeterPoint>;
type Input = Parameters<MeterService['save']>[1];
const NONE: readonly MeterPoint[] = [];

/** `start` loads them; call it after the site service's. */
export function createMeterService({
  db,
  log,
  site,
}: Pick<Base, 'db' | 'log'> & { site: Pick<SiteService, 'get' | 'tenants'> }): MeterService & {
  start(): Promise<void>;
} {
  const tenants = new Map<string, { byId: Points; byName: readonly MeterPoint[] }>();
  const listeners = new Set<() => void>();
  const pointsOf = (tenant: string): Points => tenants.get(tenant)?.byId ?? new Map();

  async function load(tenant: string): Promise<void> {
    const points = await db.asTenant(tenant, loadPoints);
    const byName = [...points].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
    tenants.set(tenant, { byId: new Map(points.map((point) => [point.id, point])), byName });
  }

  function tell(): void {
    for (const listener of listeners)
      try {
        listener();
      } catch (error) {
        log.error({ err: error }, 'a listener to changes of meters failed');
      }
  }

  // One after the other, so that an older answer never replaces a newer one.
  let loading: Promise<void> = Promise.resolve();
  const refresh = (tenant: string) => {
    const mine = loading.catch(() => {}).then(() => load(tenant));
    loading = mine;
    return mine.then(tell);
  };

  return {
    async start() {
      for (const tenant of site.tenants()) await load(tenant);
    },
    list: (tenant) => tenants.get(tenant)?.byName ?? NONE,
    get: (tenant, id) => pointsOf(tenant).get(id) ?? null,
    ofDevice: (tenant, device) => [...pointsOf(tenant).values()].filter((point) => point.device === device),
    async save(actor, input) {
      const { tenant } = actor;
      // Before set-up, too: the site that comes gets this id.
      const site_id = site.get(tenant)?.id ?? FIRST_SITE;
      await db.asTenant(tenant, async (sql) => {
        const known = await lockedPoints(sql);
        requireValid(input, known);
        await requireDevice(sql, input, known);
        await store(sql, tenant, site_id, input);
        const act = known.has(input.id) ? 'change meter point' : 'create meter point';
        await writeAudit(sql, actor, act, input.id, { ...input });
      });
      await refresh(tenant);
    },
    async remove(actor, id) {
      await db.asTenant(actor.tenant, async (sql) => {
        const known = await lockedPoints(sql);
        if (!known.has(id)) throw new NotFoundError(`There is no meter point ${id}.`, 'It may be gone already.');
        refuseWhileUsed(id, known);
        await sql('delete from meter_point where id = $1', [id]);
        await writeAudit(sql, actor, 'remove meter point', id);
      });
      await refresh(actor.tenant);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh,
  };
}

/** Changes of a tenant's meter points wait for each other: what is checked together must hold together. */
async function lockedPoints(sql: Sql): Promise<Points> {
  await sql(`select pg_advisory_xact_lock(hashtextextended('meter_point ' || current_setting('luna.tenant'), 0))`);
  return new Map((await loadPoints(sql)).map((point) => [point.id, point]));
}

async function loadPoints(sql: Sql): Promise<MeterPoint[]> {
  return sql<MeterPoint>(
    `select tenant_id as tenant, id, site_id as site, name, role, device_id as device, channel, parent_id as parent,
      virtual from meter_point`,
  );
}

async function store(sql: Sql, tenant: string, site: string, point: Input): Promise<void> {
  await sql(
    `insert into meter_point
      (tenant_id, id, site_id, name, role, device_id, channel, parent_id, virtual, demo)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      on conflict (tenant_id, id) do update set name = excluded.name, role = excluded.role,
        device_id = excluded.device_id, channel = excluded.channel, parent_id = excluded.parent_id,
        virtual = excluded.virtual`,
    [
      ...[tenant, point.id, site, point.name.trim(), point.role, point.device, point.channel, point.parent],
      ...[point.virtual === null ? null : JSON.stringify(point.virtual), point.demo ?? false],
    ],
  );
}

async function requireDevice(sql: Sql, { id, device, channel }: Input, known: Points): Promise<void> {
  if (device === null) return;
  const [found] = await sql('select from device where id = $1', [device]);
  if (!found) throw new InvalidDataError(`There is no device ${device}.`, 'Add the device first.');
  const twin = [...known.values()].find((p) => p.id !== id && p.device === device && p.channel === channel);
  if (twin)
    throw new InvalidDataError(
      `Channel ${channel} of device ${device} supplies ${twin.id} already.`,
      'Choose another channel, or change that meter point.',
    );
}

function requireValid(point: Input, known: Points): void {
  const faults = pointFaults(point, known);
  if (faults.length === 0) return;
  throw new InvalidDataError(
    `The meter point has faults: ${faults.map(({ where, problem }) => `${where} ${problem}`).join('; ')}.`,
    'Change these fields and save again.',
    faults,
  );
}

/** Every fault of a meter point among its neighbours, none when it can be stored. */
export function pointFaults(point: Input, known: Points): Fault[] {
  const faults = [...textFaults('name', point.name, 200), ...textFaults('channel', point.channel, 64)];
  const add = (where: string, problem: string) => faults.push({ where, problem });
  if (!isId(point.id)) add('id', `is no id. ${ID_REMEDY}`);
  if (!ROLES.includes(point.role)) add('role', `is none of ${ROLES.join(', ')}`);
  if ((point.device === null) === (point.virtual === null))
    add('device', 'or a formula is needed: a meter point has exactly one of them');
  if (point.parent !== null) {
    if (point.parent !== point.id && !known.has(point.parent)) add('parent', `${point.parent} does not exist`);
    const circle = findCircle(point.id, (id) => parentsOf(id === point.id ? point : known.get(id)));
    if (circle) add('parent', `makes a circle: ${circle.join(' → ')}`);
  }
  if (point.virtual !== null) faults.push(...formulaFaults(point.id, point.virtual, known));
  return faults;
}

function formulaFaults(id: string, formula: VirtualFormula, known: Points): Fault[] {
  const fault = (problem: string): Fault => ({ where: 'virtual', problem });
  if (!Array.isArray(formula) || formula.length === 0) return [fault('has no meter points to add up')];
  if (formula.length > FORMULA_LIMIT) return [fault(`adds up more than ${FORMULA_LIMIT} meter points`)];
  const faults = formula.flatMap(({ meter, factor }) => [
    ...(meter !== id && !known.has(meter) ? [fault(`names ${meter}, which does not exist`)] : []),
    ...(Number.isFinite(factor) && factor !== 0 ? [] : [fault(`gives ${meter} a factor that is no number or 0`)]),
  ]);
  if (new Set(formula.map(({ meter }) => meter)).size < formula.length)
    faults.push(fault('names a meter point twice; give it one factor'));
  const circle = findCircle(id, (other) => partsOf(other === id ? formula : known.get(other)?.virtual));
  if (circle) faults.push(fault(`makes a circle: ${circle.join(' → ')}`));
  return faults;
}

const parentsOf = (point: Pick<MeterPoint, 'parent'> | undefined) => (point?.parent ? [point.parent] : []);
const partsOf = (formula: VirtualFormula | null | undefined) => (formula ?? []).map(({ meter }) => meter);

/** The way from `start` back to itself, or null. Each meter point is looked at once. */
function findCircle(start: string, next: (id: string) => readonly string[]): string[] | null {
  const seen = new Set<string>();
  const ways: string[][] = [[start]];
  for (let way = ways.pop(); way; way = ways.pop())
    for (const id of next(way.at(-1)!)) {
      if (id === start) return [...way, id];
      if (seen.has(id)) continue;
      seen.add(id);
      ways.push([...way, id]);
    }
  return null;
}

function refuseWhileUsed(id: string, known: Points): void {
  const users = [...known.values()].filter(({ virtual }) => partsOf(virtual).includes(id)).map((point) => point.id);
  if (users.length > 0)
    throw new InvalidDataError(
      `${id} is part of the formula of ${users.join(', ')}.`,
      'Change or remove these meter points first.',
    );
}
