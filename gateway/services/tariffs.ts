/** The tariff of each site in its versions: from memory; every change is checked, stored and audited in one transaction. */
import { createPublicHolidays } from '../../connectors/holidays/public.ts';
import { priceArea } from '../../connectors/prices/areas.ts';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { EnergyPrice } from '../../engine/model/site.ts';
import type { Sql } from '../../engine/ports.ts';
import { foreignCurrency } from '../../engine/tariff/prices.ts';
import { parseTariff, type ReadTariff, readTariff } from '../../engine/tariff/read.ts';
import { asSimplePrice, FOR_EVER, simpleTariffText } from '../../engine/tariff/simple.ts';
import { type HolidayCalendar, marketsOf, type Tariff, type TariffVersion } from '../../engine/tariff/tariff.ts';
import { coveredParts } from '../../engine/tariff/versions.ts';
import type { Actor, Base, SiteService } from '../services.ts';
import { writeAudit } from './audit.ts';

export type StoredVersion = TariffVersion & { yaml: string; by: string; at_ms: number };

export interface TariffService {
  /** Ascending by `valid_from`, from memory; none before set-up. */
  versions(tenant: string): readonly StoredVersion[];
  /** The version that holds now. */
  current(tenant: string): StoredVersion | null;
  /** The market area of the version that holds now; null where it asks no market. */
  area(tenant: string): string | null;
  /** Every area that a version asks. */
  areas(tenant: string): readonly string[];
  /** The one price that the tariff is, or null where it is more than that. */
  simple(tenant: string): EnergyPrice | null;
  read(yaml: string): ReadTariff;
  isHoliday: HolidayCalendar;
  /** Adds the version of `valid_from`, or replaces it. @throws InvalidDataError with every fault and its line */
  save(actor: Actor, valid_from: string, yaml: string): Promise<void>;
  /** @throws NotFoundError, InvalidDataError where it is the last one */
  remove(actor: Actor, valid_from: string): Promise<void>;
}

type Deps = Pick<Base, 'db' | 'clock' | 'bus' | 'log'> & { site: Pick<SiteService, 'get' | 'tenants' | 'onChange'> };

/** `start` loads the tariffs, after the sites. */
export function createTariffService(deps: Deps): TariffService & { start(): Promise<void> } {
  const { db, clock, bus, log, site } = deps;
  const holidays = createPublicHolidays();
  const known = new Map<string, readonly StoredVersion[]>();

  /** A version that cannot be read, perhaps of a newer Luna, must not keep the box from starting. */
  async function read(tenant: string): Promise<void> {
    const { versions, unreadable } = await db.asTenant(tenant, loadVersions);
    for (const { valid_from, fault } of unreadable)
      log.error({ tenant_id: tenant, valid_from, fault }, 'a version of the tariff cannot be read and is left out');
    known.set(tenant, versions);
  }

  async function load(tenant: string): Promise<void> {
    await read(tenant);
    bus.publish({ type: 'tariff', tenant });
  }
  site.onChange(load);

  const versions = (tenant: string) => known.get(tenant) ?? [];
  function current(tenant: string): StoredVersion | null {
    const [part] = coveredParts(versions(tenant), clock.now(), clock.now() + 1);
    return versions(tenant).find((one) => one.valid_from === part?.valid_from) ?? null;
  }
  const areasOf = (all: readonly TariffVersion[]) => [
    ...new Set(all.flatMap(({ tariff }) => marketsOf(tariff).map(({ area }) => area))),
  ];

  return {
    versions,
    current,
    area(tenant) {
      const version = current(tenant);
      return version ? (areasOf([version])[0] ?? null) : null;
    },
    areas: (tenant) => areasOf(versions(tenant)),
    simple: (tenant) => asSimplePrice(versions(tenant)),
    read: (yaml) => readTariff(yaml, holidays),
    isHoliday: holidays.isHoliday,
    async start() {
      for (const tenant of site.tenants()) await read(tenant);
    },
    async save(actor, valid_from, yaml) {
      const { tenant } = actor;
      const place = requireSite(site.get(tenant));
      requireDay(valid_from);
      const tariff = parseTariff(yaml, holidays);
      requireCurrencies(
        tariff,
        versions(tenant).filter((one) => one.valid_from !== valid_from),
      );
      const before = versions(tenant).find((one) => one.valid_from === valid_from);
      await db.asTenant(tenant, async (sql) => {
        await storeVersion(sql, actor, place.id, { valid_from, yaml, at_ms: clock.now() });
        const detail = { valid_from, name: tariff.name, yaml, ...(before ? { replaced: before.yaml } : {}) };
        await writeAudit(sql, actor, 'save tariff', place.id, detail);
      });
      await load(tenant);
    },
    async remove(actor, valid_from) {
      const { tenant } = actor;
      const place = requireSite(site.get(tenant));
      const gone = versions(tenant).find((one) => one.valid_from === valid_from);
      if (!gone) throw new NotFoundError(`No version of the tariff begins on ${valid_from}.`);
      if (versions(tenant).length === 1)
        throw new InvalidDataError(
          'This is the only version of the tariff.',
          'Change it, or add another one before you remove it.',
        );
      await db.asTenant(tenant, async (sql) => {
        await sql('delete from tariff_version where site_id = $1 and valid_from = $2', [place.id, valid_from]);
        await writeAudit(sql, actor, 'remove tariff', place.id, { valid_from, replaced: gone.yaml });
      });
      await load(tenant);
    },
  };
}

function requireSite<Site>(site: Site | null): Site {
  if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
  return site;
}

/** @throws InvalidDataError for what is no day such as 2026-07-01 */
export function requireDay(day: string): void {
  const at_ms = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00Z`) : Number.NaN;
  if (Number.isNaN(at_ms) || new Date(at_ms).toISOString().slice(0, 10) !== day || day < FOR_EVER || day > '2200')
    throw new InvalidDataError(`"${day}" is no day.`, 'Write the first day on which it holds, such as 2026-07-01.');
}

/** Of the markets only those whose currency the box knows can be checked before prices come. */
function requireCurrencies(tariff: Tariff, others: readonly TariffVersion[]): void {
  const other = others.find((one) => one.tariff.currency !== tariff.currency);
  if (other)
    throw new InvalidDataError(
      `This version counts in ${tariff.currency}, but the one from ${other.valid_from} in ${other.tariff.currency}.`,
      'A site counts in one currency: write all versions in it.',
    );
  for (const { price } of [...tariff.energy, ...tariff.feed_in]) {
    if (price.kind !== 'market') continue;
    const expected = price.exchange?.currency ?? tariff.currency;
    // the currency of a contract with Tibber is the contract's
    const market = price.area === 'TIBBER' ? undefined : priceArea(price.area);
    if (market && market.currency !== expected) throw foreignCurrency(price.area, market.currency, expected);
  }
}

type Row = { valid_from: string; yaml: string; by: string; at: Date };

type Loaded = { versions: StoredVersion[]; unreadable: { valid_from: string; fault: string }[] };

async function loadVersions(sql: Sql): Promise<Loaded> {
  const rows = await sql<Row>('select valid_from, yaml, by, at from tariff_version order by valid_from');
  const loaded: Loaded = { versions: [], unreadable: [] };
  for (const { valid_from, yaml, by, at } of rows) {
    const { tariff, faults } = readTariff(yaml);
    if (tariff) loaded.versions.push({ valid_from, yaml, by, at_ms: at.getTime(), tariff });
    else loaded.unreadable.push({ valid_from, fault: `${faults[0]?.where}: ${faults[0]?.problem}` });
  }
  return loaded;
}

async function storeVersion(
  sql: Sql,
  { tenant, person }: Actor,
  site: string,
  { valid_from, yaml, at_ms }: { valid_from: string; yaml: string; at_ms: number },
): Promise<void> {
  await sql(
    `insert into tariff_version (tenant_id, site_id, valid_from, yaml, by, at)
      values ($1, $2, $3, $4, $5, to_timestamp($6 / 1000.0))
      on conflict (tenant_id, site_id, valid_from) do update set yaml = excluded.yaml, by = excluded.by, at = excluded.at`,
    [tenant, site, valid_from, yaml, person, at_ms],
  );
}

/**
 * Makes the simple price of a site's form its tariff, in the transaction that stores the site.
 * @throws InvalidDataError where the site has a tariff that is more than one simple price
 */
export async function storeSimplePrice(
  sql: Sql,
  actor: Actor,
  site: { id: string; currency: string; time_zone: string },
  price: EnergyPrice,
): Promise<void> {
  const { versions, unreadable } = await loadVersions(sql);
  if (unreadable.length > 0 || (versions.length > 0 && asSimplePrice(versions) === null))
    throw new InvalidDataError(
      'The site has a tariff that is more than one price.',
      'Change it on the page Tariff, or with PUT /api/v1/tariff/versions/{valid_from}.',
    );
  const yaml = simpleTariffText(price, site);
  parseTariff(yaml);
  if (versions[0]?.yaml === yaml) return;
  const [{ at_ms } = { at_ms: 0 }] = await sql<{ at_ms: number }>('select extract(epoch from now()) * 1000 as at_ms');
  await storeVersion(sql, actor, site.id, { valid_from: FOR_EVER, yaml, at_ms: Number(at_ms) });
}
