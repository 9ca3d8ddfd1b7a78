/** Gathers what a plan is made from: prices, forecasts, the month's peak, the state of devices. Nothing is made up. */
import { planDemand } from '../../../engine/dispatch/plan-demand.ts';
import type { PlanDevice, PlanSettings } from '../../../engine/dispatch/plan-devices.ts';
import type { Override, Reduction } from '../../../engine/dispatch/site.ts';
import type { DeviceFact, SiteFacts } from '../../../engine/dispatch/site-input.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import { addMonths, HOUR_MS, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Forecast, ForecastPoint } from '../../../engine/ports.ts';
import { historyStart, ratchets } from '../../../engine/tariff/bill-demand.ts';
import { demandTerms } from '../../../engine/tariff/demand-terms.ts';
import { missingPricesError, type SlotPrices, type TariffContext } from '../../../engine/tariff/prices.ts';
import type { TariffVersion } from '../../../engine/tariff/tariff.ts';
import { priceVersions } from '../../../engine/tariff/version-prices.ts';
import { versionAt } from '../../../engine/tariff/versions.ts';
import type {
  Base,
  DataService,
  ForecastService,
  LiveValues,
  MeterService,
  PriceService,
  SiteService,
  TariffService,
  WeatherService,
} from '../../services.ts';
import { readEnergy, type SiteEnergyDeps } from '../bills/energy.ts';
import { liveLoad, typicalCourse } from './course.ts';
import { type Assumption, type StoredPlan, slotIndex } from './stored.ts';

export type GatherDeps = Pick<Base, 'clock'> &
  SiteEnergyDeps & {
    site: Pick<SiteService, 'get'>;
    meters: Pick<MeterService, 'list' | 'get'>;
    tariffs: Pick<TariffService, 'versions' | 'area' | 'isHoliday'>;
    prices: Pick<PriceService, 'context'>;
    forecasts: Pick<ForecastService, 'latest' | 'reason'>;
    weather: Pick<WeatherService, 'hours'>;
    data: Pick<DataService, 'query'>;
    live: Pick<LiveValues, 'of'>;
  };

export type Asked = {
  tenant: string;
  devices: readonly PlanDevice[];
  settings: PlanSettings;
  overrides: readonly Override[];
  reductions: readonly Reduction[];
  /** The plan before, whose expectation stands in for what nothing measures. */
  before: StoredPlan | null;
  /** Another tariff, for what-if. */
  draft?: readonly TariffVersion[];
};
export type Gathered = { facts: SiteFacts; currency: string; assumptions: Assumption[] };

/** Fewer hours are no plan. */
const LEAST_SLOTS = 24;
/** A state of charge that is older says nothing of now. */
const STALE_MS = 30 * 60_000;

/** @throws InvalidDataError that names what is missing */
export async function gatherFacts(deps: GatherDeps, asked: Asked): Promise<Gathered> {
  const { tenant, settings } = asked;
  const site = deps.site.get(tenant);
  if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
  const now_ms = deps.clock.now();
  const from_ms = slotStart(now_ms);
  const assumptions: Assumption[] = [];
  const wanted = settings.horizon_h * 4;
  const [load, generation] = await Promise.all([
    forecastOf(deps, asked, 'load', from_ms, wanted),
    deps.meters.list(tenant).some(({ role }) => role === 'generation')
      ? forecastOf(deps, asked, 'generation', from_ms, wanted)
      : null,
  ]);
  let slots = Math.min(known(load), generation ? known(generation) : wanted, wanted);
  const { prices, context, version } = await pricesOf(deps, asked, from_ms, slots, assumptions);
  slots = Math.min(slots, known(prices.import_per_kWh), known(prices.export_per_kWh));
  if (slots < LEAST_SLOTS && prices.missing.length > 0) throw missingPricesError(prices.missing);
  if (slots < wanted) assumptions.push({ code: 'shorter-horizon', hours: slots / 4 });
  const cut = (values: Float64Array) => values.slice(0, slots);
  const load_W = cut(load);
  await withoutDevices(deps, asked, site.time_zone, from_ms, load_W);
  nowcast(deps, asked, load_W, generation, now_ms, assumptions);
  const at_ms = Float64Array.from({ length: slots }, (_, t) => from_ms + t * SLOT_MS);
  const most_kW = mostPower(asked, load_W) / 1000;
  const past = await pastPeaks(deps, asked, version, from_ms, assumptions);
  const terms = demandTerms(version.tariff, { at_ms }, past, context, most_kW);
  const facts: SiteFacts = {
    ...{ from_ms, time_zone: site.time_zone, load_W, settings },
    ...{ import_price: cut(prices.import_per_kWh), export_price: cut(prices.export_per_kWh) },
    ...{ import_limit_W: cut(prices.import_limit_W), export_limit_W: cut(prices.export_limit_W) },
    generation_W: generation && cut(generation),
    temperature_C: await temperatures(deps, asked, from_ms, slots),
    demand: planDemand(terms, slots),
    devices: asked.devices.map((device) => factOf(deps, asked, device, now_ms, assumptions)),
    ...{ reductions: asked.reductions, overrides: asked.overrides },
  };
  return { facts, currency: prices.currency || site.currency, assumptions };
}

/** Slots from the first on that are known. */
function known(values: Float64Array): number {
  const hole = values.findIndex(Number.isNaN);
  return hole < 0 ? values.length : hole;
}

async function forecastOf(
  deps: GatherDeps,
  { tenant, settings }: Asked,
  series: 'load' | 'generation',
  from_ms: number,
  slots: number,
): Promise<Float64Array> {
  const forecast = await deps.forecasts.latest(tenant, series, deps.clock.now());
  const share = settings.weigh === 'expected' ? null : series === 'load' ? settings.weigh : 1 - settings.weigh;
  const values = laidOut(forecast, from_ms, slots, share);
  if (known(values) >= LEAST_SLOTS) return values;
  const reason = deps.forecasts.reason?.(tenant, series);
  throw new InvalidDataError(
    `The ${series} forecast is missing${forecast ? ` from ${new Date(from_ms + known(values) * SLOT_MS).toISOString()} on` : ''}.${reason ? ` ${reason}` : ''}`,
    'A plan needs at least six hours of it; the page Forecasts says what it waits for.',
    [{ where: `the ${series} forecast`, problem: reason ?? 'is missing' }],
  );
}

/** @param share the quantile that is wanted; null: the mean */
function laidOut(forecast: Forecast | null, from_ms: number, slots: number, share: number | null): Float64Array {
  const values = new Float64Array(slots).fill(Number.NaN);
  for (const point of forecast?.points ?? []) {
    const t = Math.round((point.at_ms - from_ms) / SLOT_MS);
    if (t >= 0 && t < slots) values[t] = share === null ? point.mean : quantileOf(point, share);
  }
  return values;
}

/** Between the quantiles that a forecast has, on a straight line; the outermost beyond them. */
export function quantileOf({ quantiles, mean }: ForecastPoint, share: number): number {
  const levels = Object.entries(quantiles)
    .map(([level, value]) => [Number(level), value] as const)
    .sort((a, b) => a[0] - b[0]);
  if (levels.length === 0) return mean;
  const above = levels.findIndex(([level]) => level >= share);
  if (above <= 0) return (above < 0 ? levels.at(-1)! : levels[0]!)[1];
  const [[low, from], [high, to]] = [levels[above - 1]!, levels[above]!];
  return from + ((to - from) * (share - low)) / (high - low);
}

/** Published prices, and beyond them the forecast of the market. */
async function pricesOf(deps: GatherDeps, asked: Asked, from_ms: number, slots: number, assumptions: Assumption[]) {
  const { tenant, draft } = asked;
  const versions = draft ?? deps.tariffs.versions(tenant);
  const to_ms = from_ms + slots * SLOT_MS;
  const version = versionAt(versions, from_ms);
  const published = await deps.prices.context(versions, from_ms, to_ms);
  const at_ms = Float64Array.from({ length: slots }, (_, t) => from_ms + t * SLOT_MS);
  const first = priceVersions(versions, { at_ms }, published);
  const area = deps.tariffs.area(tenant);
  if (first.missing.length === 0 || area === null) return { prices: first, context: published, version };
  const forecast = await deps.forecasts.latest(tenant, 'price', deps.clock.now());
  const context = withForecast(published, forecast, area, at_ms);
  const prices: SlotPrices = priceVersions(versions, { at_ms }, context);
  const begin = known(first.import_per_kWh);
  if (known(prices.import_per_kWh) > begin) assumptions.push({ code: 'price-forecast', from_ms: at_ms[begin]! });
  return { prices, context, version };
}

function withForecast(
  published: TariffContext,
  forecast: Forecast | null,
  area: string,
  at_ms: Float64Array,
): TariffContext {
  const ahead = new Map(forecast?.points.map((point) => [point.at_ms, point.mean]));
  return {
    ...published,
    market(market) {
      const series = published.market(market);
      if (!series || market.area !== area || market.market !== 'day-ahead') return series;
      const place = new Map(Array.from(series.at_ms, (at, i) => [at, series.values[i]!]));
      const all = [...new Set([...series.at_ms, ...at_ms])].sort((a, b) => a - b);
      const value = (at: number) => {
        const told = place.get(at);
        return told === undefined || Number.isNaN(told) ? (ahead.get(at) ?? Number.NaN) : told;
      };
      return { ...series, at_ms: Float64Array.from(all), values: Float64Array.from(all, value) };
    },
  };
}

/** The usual course of devices that the plan moves itself is taken out of the load. */
async function withoutDevices(
  deps: GatherDeps,
  { tenant, devices }: Asked,
  time_zone: string,
  from_ms: number,
  load_W: Float64Array,
): Promise<void> {
  for (const device of devices) {
    if (device.kind === 'battery' || device.meter === null) continue;
    const usual = await typicalCourse(deps, tenant, device.meter, time_zone, from_ms, load_W.length);
    for (let t = 0; t < load_W.length; t++) load_W[t] = Math.max(0, load_W[t]! - usual[t]!);
  }
}

/** What is measured now differs from its forecast: the difference is taken to fade within the hour. */
function nowcast(
  deps: GatherDeps,
  { tenant, devices }: Asked,
  load_W: Float64Array,
  generation: Float64Array | null,
  now_ms: number,
  assumptions: Assumption[],
): void {
  const net_W = liveLoad(deps, tenant, now_ms, devices);
  if (net_W === null) return;
  const off_W = net_W - (load_W[0]! - (generation?.[0] ?? 0));
  if (Math.abs(off_W) < 500) return;
  assumptions.push({ code: 'nowcast', power_W: off_W });
  for (let t = 0; t < Math.min(4, load_W.length); t++) load_W[t] = Math.max(0, load_W[t]! + off_W * 0.5 ** t);
}

/** What can be drawn at once: bounds the steps of a demand charge. */
function mostPower({ devices, settings }: Asked, load_W: Float64Array): number {
  let most = Math.max(...load_W, 1000);
  for (const device of devices)
    most += device.kind === 'load' ? device.power_W : device.kind === 'heat-pump' ? device.electric_W : device.charge_W;
  return settings.import_limit_W === null ? most : Math.max(settings.import_limit_W, 1000);
}

/** What was taken from the grid since the begin of the billing period, and what ratchets look back on. */
async function pastPeaks(
  deps: GatherDeps,
  { tenant, draft }: Asked,
  { tariff }: TariffVersion,
  from_ms: number,
  assumptions: Assumption[],
) {
  if (tariff.demand.length === 0) return { at_ms: new Float64Array(), kWh: new Float64Array() };
  const versions = draft ?? deps.tariffs.versions(tenant);
  const month_ms = addMonths(from_ms, 0, tariff.time_zone);
  const start_ms = coveredStart(versions, month_ms, from_ms);
  const { at_ms, import_kWh: kWh } = await readEnergy(deps, tenant, start_ms, from_ms, []);
  const gaps = kWh.reduce((count, value, i) => count + (Number.isNaN(value) && at_ms[i]! >= month_ms ? 1 : 0), 0);
  if (gaps > 0) assumptions.push({ code: 'peak-gaps', slots: gaps });
  return { at_ms, kWh, ratchet_kW: ratchets(tariff, { at_ms, kWh }, from_ms, deps.tariffs.isHoliday) };
}

function coveredStart(versions: readonly TariffVersion[], month_ms: number, from_ms: number): number {
  try {
    return Math.min(month_ms, historyStart(versions, month_ms, from_ms + SLOT_MS));
  } catch (error) {
    // The tariff began within the month: what was drawn before is not billed by it.
    if (error instanceof InvalidDataError) return month_ms;
    throw error;
  }
}

async function temperatures(deps: GatherDeps, { tenant, devices }: Asked, from_ms: number, slots: number) {
  const values = new Float64Array(slots).fill(Number.NaN);
  if (!devices.some(({ kind }) => kind === 'heat-pump')) return values;
  const hours = await deps.weather.hours(tenant, from_ms - HOUR_MS, from_ms + slots * SLOT_MS + HOUR_MS);
  const of = new Map(hours.map(({ at_ms, temperature_C }) => [at_ms, temperature_C]));
  for (let t = 0; t < slots; t++) {
    const hour_ms = Math.floor((from_ms + t * SLOT_MS) / HOUR_MS) * HOUR_MS;
    values[t] = of.get(hour_ms) ?? Number.NaN;
  }
  return values;
}

function factOf(
  deps: GatherDeps,
  { tenant, before }: Asked,
  device: PlanDevice,
  now_ms: number,
  assumptions: Assumption[],
): DeviceFact {
  if (device.kind === 'battery')
    return { device, percent: socOf(deps, tenant, device.soc_meter, now_ms), running: null };
  if (device.kind === 'vehicle') {
    const measured = device.soc_meter === null ? null : socOf(deps, tenant, device.soc_meter, now_ms);
    const percent = measured ?? expected(before, device.id, now_ms);
    if (measured === null) assumptions.push({ code: 'arrival', device: device.name });
    return { device, percent, running: null };
  }
  const running = runningOf(before, device.id, now_ms);
  if (device.kind === 'load') return { device, percent: null, running };
  assumptions.push({ code: 'heat-store', device: device.name });
  return { device, percent: expected(before, device.id, now_ms), running };
}

/** As measured in the last half hour. */
export function socOf(
  { live }: Pick<GatherDeps, 'live'>,
  tenant: string,
  meter: string,
  now_ms: number,
): number | null {
  const value = live.of(tenant, meter).get('soc_percent');
  return value && now_ms - value.at_ms <= STALE_MS ? value.value : null;
}

/** What the plan before expects to be stored now. */
function expected(before: StoredPlan | null, id: string, now_ms: number): number | null {
  if (!before) return null;
  const device = before.devices.find((one) => one.id === id);
  const t = slotIndex(before, now_ms) - 1;
  const energy = device?.energy_kWh[t];
  return energy === undefined || !device?.capacity_kWh ? null : (100 * energy) / device.capacity_kWh;
}

function runningOf(before: StoredPlan | null, id: string, now_ms: number): DeviceFact['running'] {
  const device = before?.devices.find((one) => one.id === id);
  const now = before ? slotIndex(before, now_ms) - 1 : -1;
  if (!device || now < 0) return null;
  const on = device.power_W[now]! < -1;
  let since = now;
  while (since > 0 && device.power_W[since - 1]! < -1 === on) since--;
  return { on, since_min: (now - since + 1) * 15 };
}
