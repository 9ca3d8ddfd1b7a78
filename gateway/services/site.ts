/** The tenants and their sites, from memory; every change is validated, stored and audited in one transaction. */
import { type Fault, InvalidDataError } from '../../engine/errors.ts';
import type { EnergyPrice, Site } from '../../engine/model/site.ts';
import type { Sql } from '../../engine/ports.ts';
import type { Actor, Base } from '../services.ts';
import { writeAudit } from './audit.ts';
import { ID_REMEDY, isId, textFaults } from './identifier.ts';
import { storeSimplePrice } from './tariffs.ts';

/** `energy_price` makes the site's tariff, where that is no more than one price; left out: the tariff stays. */
export type SiteSettings = Omit<Site, 'tenant' | 'demo'> & { energy_price?: EnergyPrice | undefined };

export interface SiteService {
  /** The tenant's site; null before set-up. From memory. */
  get(tenant: string): Site | null;
  save(actor: Actor, settings: SiteSettings, options?: { demo?: boolean }): Promise<void>;
  /** Removes the site with its meter points, as if it had never been set up; `meters.refresh` follows. */
  remove(actor: Actor): Promise<void>;
  /** Tenants that exist (`default` always). */
  tenants(): readonly string[];
  /** `listener` is called, and waited for, after a site was saved or removed. */
  onChange(listener: (tenant: string) => Promise<void>): void;
}

const DEFAULT_TENANT = 'default';

/** `start` loads the sites and makes the tenant `default`; call it before anything else asks. */
export function createSiteService({ db }: Pick<Base, 'db'>): SiteService & { start(): Promise<void> } {
  const sites = new Map<string, Site>();
  const listeners: ((tenant: string) => Promise<void>)[] = [];
  const changed = async (tenant: string) => {
    for (const listener of listeners) await listener(tenant);
  };
  let tenants: readonly string[] = [DEFAULT_TENANT];
  return {
    async start() {
      tenants = await db.asSystem(loadTenants);
      for (const tenant of tenants) {
        const site = await db.asTenant(tenant, loadSite);
        if (site) sites.set(tenant, site);
      }
    },
    get: (tenant) => sites.get(tenant) ?? null,
    tenants: () => tenants,
    async save(actor, settings, options) {
      const { tenant } = actor;
      const known = sites.get(tenant);
      requireValid(settings, known);
      if (!known && [...sites.values()].some((other) => other.demo && other.tenant !== tenant))
        throw new InvalidDataError(
          'Another organisation runs the demo on this box, and its invented prices would reach the bills of this site.',
          'End the demo first, then set up the site.',
        );
      const { energy_price, ...place } = settings;
      const site: Site = { ...place, tenant, demo: options?.demo ?? known?.demo ?? false };
      await db.asTenant(tenant, async (sql) => {
        await store(sql, site);
        if (energy_price) await storeSimplePrice(sql, actor, site, energy_price);
        const detail = energy_price ? { ...site, energy_price } : { ...site };
        await writeAudit(sql, actor, known ? 'change site' : 'create site', site.id, detail);
      });
      sites.set(tenant, site);
      await changed(tenant);
    },
    async remove(actor) {
      const known = sites.get(actor.tenant);
      if (!known) return;
      await db.asTenant(actor.tenant, async (sql) => {
        await sql('delete from site where id = $1', [known.id]);
        await writeAudit(sql, actor, 'remove site', known.id);
      });
      sites.delete(actor.tenant);
      await changed(actor.tenant);
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

async function loadTenants(sql: Sql): Promise<string[]> {
  await sql('insert into tenant (id, name) values ($1, $1) on conflict do nothing', [DEFAULT_TENANT]);
  return (await sql<{ id: string }>('select id from tenant order by id')).map(({ id }) => id);
}

async function loadSite(sql: Sql): Promise<Site | undefined> {
  const [row] = await sql<Site>(
    `select tenant_id as tenant, id, name, place, latitude, longitude, time_zone, country, currency, demo
      from site order by id limit 1`,
  );
  return row;
}

async function store(sql: Sql, site: Site): Promise<void> {
  await sql(
    `insert into site
      (tenant_id, id, name, place, latitude, longitude, time_zone, country, currency, demo)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      on conflict (tenant_id, id) do update set name = excluded.name, place = excluded.place,
        latitude = excluded.latitude, longitude = excluded.longitude, time_zone = excluded.time_zone,
        country = excluded.country, currency = excluded.currency,
        demo = excluded.demo`,
    [
      ...[site.tenant, site.id, site.name, site.place, site.latitude, site.longitude, site.time_zone],
      ...[site.country, site.currency, site.demo],
    ],
  );
}

function requireValid(settings: SiteSettings, known: Site | undefined): void {
  const faults = siteFaults(settings);
  if (known && known.id !== settings.id)
    faults.push({ where: 'id', problem: `is ${known.id} and stays so, because stored readings and plans name it` });
  if (faults.length === 0) return;
  throw new InvalidDataError(
    `The site has faults: ${faults.map(({ where, problem }) => `${where} ${problem}`).join('; ')}.`,
    'Change these fields and save again.',
    faults,
  );
}

/** Every fault of a site's settings, none when they can be stored. */
export function siteFaults(settings: SiteSettings): Fault[] {
  const { latitude, longitude, time_zone, country, currency } = settings;
  const checks: (readonly [boolean, string, string])[] = [
    [isId(settings.id), 'id', `is no id. ${ID_REMEDY}`],
    [latitude === null || within(latitude, -90, 90), 'latitude', 'is not between −90 and 90 degrees'],
    [longitude === null || within(longitude, -180, 180), 'longitude', 'is not between −180 and 180 degrees'],
    [(latitude === null) === (longitude === null), 'latitude', 'and longitude come together or not at all'],
    [isTimeZone(time_zone), 'time_zone', `"${time_zone}" is no IANA time zone such as Europe/Berlin`],
    [isCountry(country), 'country', `"${country}" is no ISO 3166-1 country code such as DE`],
    [isCurrency(currency), 'currency', `"${currency}" is no ISO 4217 currency code such as EUR`],
  ];
  return [
    ...textFaults('name', settings.name, 200),
    ...textFaults('place', settings.place, 200, { empty: true }),
    ...checks.filter(([right]) => !right).map(([, where, problem]) => ({ where, problem })),
    ...(settings.energy_price ? priceFaults(settings.energy_price) : []),
  ];
}

function priceFaults(price: EnergyPrice): Fault[] {
  const wrong = (field: string, problem: string) => ({ where: `energy_price.${field}`, problem });
  if (price?.kind !== 'fixed' && price?.kind !== 'day-ahead') return [wrong('kind', 'is neither fixed nor day-ahead')];
  const faults: Fault[] = [];
  if (!within(price.vat_percent, 0, 100)) faults.push(wrong('vat_percent', 'is not between 0 and 100'));
  if (price.kind === 'fixed') {
    if (!within(price.per_kWh, -1e6, 1e6)) faults.push(wrong('per_kWh', 'is no price per kWh'));
    return faults;
  }
  if (typeof price.area !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(price.area))
    faults.push(wrong('area', 'is no market area such as DE-LU'));
  if (!within(price.factor, -100, 100)) faults.push(wrong('factor', 'is not between −100 and 100'));
  if (!within(price.fee_per_kWh, -1e6, 1e6)) faults.push(wrong('fee_per_kWh', 'is no price per kWh'));
  return faults;
}

function within(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max;
}

function isTimeZone(name: string): boolean {
  // Intl also takes offsets such as +01:00, which know no clock change.
  if (typeof name !== 'string' || !/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
/** Two letters that CLDR names though no country has them. */
const NO_COUNTRY = new Set(['EU', 'EZ', 'UN', 'QO', 'XA', 'XB', 'ZZ']);

function isCountry(code: string): boolean {
  return /^[A-Z]{2}$/.test(code) && !NO_COUNTRY.has(code) && regions.of(code) !== undefined;
}

const currencies = new Set(Intl.supportedValuesOf('currency'));

function isCurrency(code: string): boolean {
  return currencies.has(code);
}
