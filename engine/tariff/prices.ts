/**
 * What a kWh costs, earns and emits in each slot under a tariff: the marginal prices that a plan weighs. Pure; market
 * prices and holidays are arguments. A price that is missing is NaN here and named in `missing`, never 0.
 */
import { InvalidDataError } from '../errors.ts';
import type { PriceMarket } from '../model/price.ts';
import { SLOT_MS } from '../model/time.ts';
import type { StoredPrices } from '../ports.ts';
import { type HolidayCalendar, type Market, metersOf, type Price, type Schedule, type Tariff } from './tariff.ts';
import { createWallClock, holds, type Wall } from './window.ts';

/** Prices of a market per MWh and 15-minute slot, as the price table keeps them; NaN is a null of the source. */
export type MarketSeries = Pick<StoredPrices, 'currency' | 'vat_included' | 'at_ms' | 'values'>;
export type TariffContext = {
  isHoliday: HolidayCalendar;
  /** undefined where nothing is known of the market. */
  market: (asked: Market) => MarketSeries | undefined;
};

/** Consecutive-or-not slots of one length, a multiple of 15 minutes; `at_ms` are their starts. */
export type Slots = { at_ms: Float64Array; slot_ms?: number };

export type SlotPrices = {
  at_ms: Float64Array;
  slot_ms: number;
  currency: string;
  /** What one more kWh from the grid costs, VAT included. */
  import_per_kWh: Float64Array;
  /** What one more kWh fed in earns, VAT included where the feed-in has some. */
  export_per_kWh: Float64Array;
  /** Instead of `import_per_kWh`, for the energy of meter points that the tariff charges apart (§14a EnWG module 2). */
  meter_per_kWh: Readonly<Record<string, Float64Array>>;
  /** Most power at the grid connection, Infinity where the tariff sets no limit. */
  import_limit_W: Float64Array;
  export_limit_W: Float64Array;
  /** NaN where the tariff knows none. */
  co2_g_per_kWh: Float64Array;
  /** What could not be priced, and why. */
  missing: MissingPrices[];
};
/** Prices that are not there. `what` names them: `the day-ahead price of DE-LU`. */
export type MissingPrices = { what: string; asked: AskedPrice; from_ms: number; to_ms: number; slots: number };
export type AskedPrice =
  | { kind: 'market'; area: string; market: PriceMarket }
  | { kind: 'month'; month: string }
  | { kind: 'tariff' };

/** @throws InvalidDataError where a market's currency is not the tariff's. */
export function priceSlots(tariff: Tariff, slots: Slots, context: TariffContext): SlotPrices {
  const { at_ms, slot_ms = SLOT_MS } = slots;
  const pricer = createPricer(tariff, { at_ms, slot_ms }, context);
  const sum = (parts: Float64Array[]) => at_ms.map((_, i) => parts.reduce((total, part) => total + part[i]!, 0));
  const gross = ({ net }: { net: Float64Array }, vat_percent: number) =>
    net.map((value) => value * (1 + vat_percent / 100));
  const energy = tariff.energy.map((charge) => ({
    ...charge,
    gross: gross(pricer.price(charge.price, charge.vat_percent), charge.vat_percent),
  }));
  const ofMeter = (meter: string | null) =>
    sum(
      energy
        .filter((charge) => (charge.meter === null ? !charge.without.includes(meter ?? '') : charge.meter === meter))
        .map((charge) => charge.gross),
    );
  const feed = tariff.feed_in.map((one) => gross({ net: pricer.feedIn(one).net }, one.vat_percent));
  const limit = (of: 'import_W' | 'export_W') =>
    Float64Array.from(pricer.walls, (wall) =>
      Math.min(...tariff.limits.filter((one) => one[of] !== null && holds(one.when, wall)).map((one) => one[of]!)),
    );
  return {
    ...{ at_ms, slot_ms, currency: tariff.currency },
    import_per_kWh: ofMeter(null),
    export_per_kWh: sum(feed),
    meter_per_kWh: Object.fromEntries(metersOf(tariff).map((meter) => [meter, ofMeter(meter)])),
    import_limit_W: limit('import_W'),
    export_limit_W: limit('export_W'),
    co2_g_per_kWh:
      tariff.co2_g_per_kWh === null ? at_ms.map(() => Number.NaN) : pricer.price({ ...tariff.co2_g_per_kWh }, 0).net,
    missing: pricer.missing(),
  };
}

/** @returns the prices. @throws InvalidDataError that names what is missing. */
export function requireKnown(prices: SlotPrices): SlotPrices {
  if (prices.missing.length > 0) throw missingPricesError(prices.missing);
  return prices;
}

export function missingPricesError(missing: readonly MissingPrices[]): InvalidDataError {
  const [first] = missing;
  const iso = (at_ms: number) => new Date(at_ms).toISOString().replace(':00.000Z', 'Z');
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  return new InvalidDataError(
    `${first!.what} is missing for ${first!.slots} slots from ${iso(first!.from_ms)} to ${iso(first!.to_ms)}${more}.`,
    'Load these prices (the page Prices says how its sources do), or change the tariff.',
    missing.map(({ what, from_ms, to_ms, slots }) => ({
      where: what,
      problem: `is missing for ${slots} slots from ${iso(from_ms)} to ${iso(to_ms)}`,
    })),
  );
}

/** Net prices per kWh of slots, and for schedules the name of the period that held. */
export type Priced = { net: Float64Array; period: (i: number) => string | null };
export type Pricer = {
  walls: readonly Wall[];
  price(price: Price, vat_percent: number): Priced;
  feedIn(feed: Tariff['feed_in'][number]): Priced;
  missing(): MissingPrices[];
};

/** Prices the parts of a tariff over the same slots; the wall clock is read once. */
export function createPricer(tariff: Tariff, slots: Required<Slots>, context: TariffContext): Pricer {
  const { at_ms, slot_ms } = slots;
  const clock = createWallClock(tariff.time_zone, tariff.holidays, context.isHoliday);
  const walls = Array.from(at_ms, clock);
  const holes = new Map<string, { asked: AskedPrice; at_ms: number[] }>();
  const note = (asked: AskedPrice, at: number) => {
    const known = holes.get(nameOfPrice(asked)) ?? { asked, at_ms: [] };
    known.at_ms.push(at);
    holes.set(nameOfPrice(asked), known);
  };
  const markets = new Map<string, (from_ms: number, to_ms: number) => number>();
  const marketNet = (asked: AskedMarket, vat_percent: number) => {
    const key = `${asked.area} ${asked.market} ${vat_percent} ${JSON.stringify(asked.exchange)}`;
    const found = markets.get(key) ?? marketMeans(asked, context.market(asked), tariff.currency, vat_percent);
    markets.set(key, found);
    return found;
  };
  const marketSlot = (asked: AskedMarket, vat_percent: number, i: number) => {
    const span_ms = Math.max(slot_ms, asked.mean_min * 60_000);
    const from_ms = Math.floor(at_ms[i]! / span_ms) * span_ms;
    const value = marketNet(asked, vat_percent)(from_ms, from_ms + span_ms);
    if (Number.isNaN(value)) note({ kind: 'market', area: asked.area, market: asked.market }, at_ms[i]!);
    return value;
  };
  const price = (asked: Price, vat_percent: number): Priced => {
    if (asked.kind !== 'market')
      return scheduled(asked, walls, (month, i) => note({ kind: 'month', month }, at_ms[i]!));
    const { factor, fee_per_kWh, min_per_kWh, max_per_kWh } = asked;
    const bounded = (value: number) => Math.min(max_per_kWh ?? Infinity, Math.max(min_per_kWh ?? -Infinity, value));
    const net = at_ms.map((_, i) => bounded(marketSlot(asked, vat_percent, i) * factor + fee_per_kWh));
    return { net, period: () => null };
  };
  return {
    walls,
    price,
    feedIn({ price: asked, vat_percent, unless_negative }) {
      const priced = price(asked, vat_percent);
      if (!unless_negative) return priced;
      const net = priced.net.map((value, i) => {
        const market = marketSlot({ ...unless_negative, mean_min: 15, exchange: 'sign' }, 0, i);
        return Number.isNaN(market) ? Number.NaN : market < 0 ? 0 : value;
      });
      return { net, period: priced.period };
    },
    missing: () => [...holes.values()].flatMap(({ asked, at_ms: found }) => stretches(asked, found, slot_ms)),
  };
}

/** `sign`: only whether the price is negative is asked, whatever its currency. */
type AskedMarket = Market & { mean_min: number; exchange: { currency: string; rate: number } | 'sign' | null };

/** Mean price per kWh without VAT over [from, to); NaN where a quarter of an hour of it is missing. */
function marketMeans(
  asked: AskedMarket,
  series: MarketSeries | undefined,
  currency: string,
  vat_percent: number,
): (from_ms: number, to_ms: number) => number {
  if (!series) return () => Number.NaN;
  const { exchange } = asked;
  const expected = exchange === null || exchange === 'sign' ? currency : exchange.currency;
  if (exchange !== 'sign' && series.currency !== null && series.currency !== expected)
    throw foreignCurrency(asked.area, series.currency, expected);
  const rate = exchange === null || exchange === 'sign' ? 1 : exchange.rate;
  const per_kWh = rate / 1000 / (series.vat_included ? 1 + vat_percent / 100 : 1);
  const places = new Map(Array.from(series.at_ms, (at, i) => [at, i]));
  return (from_ms, to_ms) => {
    let total = 0;
    for (let at = from_ms; at < to_ms; at += SLOT_MS) total += series.values[places.get(at) ?? -1] ?? Number.NaN;
    return (total * per_kWh * SLOT_MS) / (to_ms - from_ms);
  };
}

/** @param expected the tariff's currency, or the one that it exchanges from */
export function foreignCurrency(area: string, currency: string, expected: string): InvalidDataError {
  return new InvalidDataError(
    `The prices of ${area} are in ${currency}, but the tariff counts in ${expected}.`,
    `Give the market "exchange: { currency: ${currency}, rate: … }", write the tariff in ${currency}, or name a market in ${expected}.`,
  );
}

function scheduled(asked: Schedule, walls: readonly Wall[], note: (month: string, i: number) => void): Priced {
  if (asked.kind === 'fixed') return { net: Float64Array.from(walls, () => asked.value), period: () => null };
  if (asked.kind === 'periods') {
    const found = walls.map((wall) => asked.periods.find(({ when }) => holds(when, wall)));
    return {
      net: Float64Array.from(found, (period) => period?.value ?? Number.NaN),
      period: (i) => found[i]?.name ?? null,
    };
  }
  const net = Float64Array.from(walls, ({ day }, i) => {
    const value = Object.hasOwn(asked.values, day.month) ? asked.values[day.month] : undefined;
    if (value === undefined) note(day.month, i);
    return value ?? Number.NaN;
  });
  return { net, period: (i) => walls[i]!.day.month };
}

/** What a price is called in English sentences. */
export function nameOfPrice(asked: AskedPrice): string {
  if (asked.kind === 'tariff') return 'A tariff';
  return asked.kind === 'month'
    ? `The value of the month ${asked.month}`
    : `The ${asked.market} price of ${asked.area}`;
}

/** Slots that follow each other as one; each instant once, though several charges ask for it. */
function stretches(asked: AskedPrice, found: readonly number[], slot_ms: number): MissingPrices[] {
  const joined: MissingPrices[] = [];
  for (const at_ms of [...new Set(found)].sort((a, b) => a - b)) {
    const last = joined.at(-1);
    if (last?.to_ms === at_ms) {
      last.to_ms += slot_ms;
      last.slots++;
    } else joined.push({ what: nameOfPrice(asked), asked, from_ms: at_ms, to_ms: at_ms + slot_ms, slots: 1 });
  }
  return joined;
}
