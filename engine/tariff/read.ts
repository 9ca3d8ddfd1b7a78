/** Reads a tariff from YAML: every fault in words, with its line. */
import { InvalidDataError } from '../errors.ts';
import { checkYaml, nameOf, type YamlFault } from '../yaml/schema-faults.ts';
import { TariffSchema, type TariffText, type WhenText } from './schema.ts';
import type { DemandPrice, Price, Schedule, Tariff } from './tariff.ts';
import { readWhen } from './when.ts';

/** What the reader asks of the world around it. */
export type Known = {
  /** Whether public holidays of the region (`DE-BY`) are known; left out: any region is taken. */
  region?: (region: string) => boolean;
};
export type ReadTariff = { tariff: Tariff | null; faults: YamlFault[] };

const PLACE = 'line';
const WHOLE = 'the tariff';
/** Longer texts are refused before they are parsed. */
const MOST_CHARACTERS = 200_000;

/** @param text YAML as docs/guides/tariffs.md describes it. */
export function readTariff(text: string, known: Known = {}): ReadTariff {
  if (text.length > MOST_CHARACTERS) {
    const problem = `this is longer than ${MOST_CHARACTERS} characters`;
    return { tariff: null, faults: [{ where: `${PLACE} 1`, problem, remedy: 'A tariff has some hundred lines.' }] };
  }
  const { value, lines, faults } = checkYaml(text, TariffSchema, { place: PLACE, whole: WHOLE });
  if (!value) return { tariff: null, faults };
  const found: YamlFault[] = [];
  const fault: Fault = (path, problem, remedy) =>
    found.push({ where: `${PLACE} ${lines.lineOf(path)}`, problem, remedy });
  const tariff = tariffOf(value, fault);
  checkWhole(value, tariff, known, fault);
  return found.length > 0 ? { tariff: null, faults: found } : { tariff, faults: [] };
}

/** @throws InvalidDataError with every fault and its line. */
export function parseTariff(text: string, known: Known = {}): Tariff {
  const { tariff, faults } = readTariff(text, known);
  if (tariff) return tariff;
  const [first] = faults;
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : '';
  throw new InvalidDataError(
    `The tariff has faults: ${first!.where}: ${first!.problem}${more}.`,
    first!.remedy ?? 'Mend these lines and save again.',
    faults.map(({ where, problem, remedy }) => ({ where, problem: remedy ? `${problem}. ${remedy}` : problem })),
  );
}

const currencies = new Set(Intl.supportedValuesOf('currency'));

type Path = readonly PropertyKey[];
type Fault = (path: Path, problem: string, remedy: string) => void;

function tariffOf(text: TariffText, fault: Fault): Tariff {
  const vatOf = (charge: { vat_percent?: number | undefined }) => charge.vat_percent ?? text.vat_percent;
  const when = (part: WhenText | undefined, path: Path) =>
    readWhen(part, ({ key, problem, remedy }) => fault([...path, 'when', key], problem, remedy));
  return {
    ...{ name: text.name, currency: text.currency, time_zone: text.time_zone, rounding: text.rounding },
    holidays: text.holidays ?? null,
    energy: text.energy.map((charge, i) => ({
      ...{ name: charge.name, vat_percent: vatOf(charge), price: priceOf(charge, ['energy', i], fault) },
      ...{ meter: charge.meter ?? null, without: charge.without ?? [] },
    })),
    feed_in: text.feed_in.map((charge, i) => ({
      ...{ name: charge.name, vat_percent: vatOf(charge), price: priceOf(charge, ['feed_in', i], fault) },
      unless_negative: charge.unless_negative
        ? { area: charge.unless_negative.area, market: charge.unless_negative.kind }
        : null,
    })),
    standing: text.standing.map((charge) => ({ ...charge, vat_percent: vatOf(charge) })),
    demand: text.demand.map((charge, i) => ({
      ...{ name: charge.name, vat_percent: vatOf(charge), period: charge.per, mean_min: charge.mean_min },
      peaks: { count: charge.peaks, distinct_days: charge.of === 'days' },
      when: when(charge.when, ['demand', i]),
      price: demandPriceOf(charge, ['demand', i], fault),
      ...{ min_kW: charge.at_least_kW, ratchet: charge.ratchet ?? null },
    })),
    limits: text.limits.map((limit, i) => ({
      name: limit.name,
      import_W: limit.import_kW === undefined ? null : limit.import_kW * 1000,
      export_W: limit.export_kW === undefined ? null : limit.export_kW * 1000,
      when: when(limit.when, ['limits', i]),
    })),
    co2_g_per_kWh: text.co2 ? co2Of(text.co2, fault) : null,
  };
}

const ONE: Price = { kind: 'fixed', value: 0 };

/** The one key of `keys` that is given. */
function oneOf<Key extends string>(
  given: Partial<Record<Key, unknown>>,
  keys: readonly Key[],
  path: Path,
  fault: Fault,
): Key | null {
  const there = keys.filter((key) => given[key] !== undefined);
  if (there.length === 1) return there[0]!;
  const what = nameOf(path, WHOLE);
  if (there.length === 0) fault(path, `${what} has no price`, `Give it one of ${keys.join(', ')}.`);
  else
    fault(
      [...path, there[1]!],
      `${what} has both ${there[0]} and ${there[1]}`,
      'Leave one out, or make it a charge of its own.',
    );
  return null;
}

function priceOf(
  charge: TariffText['energy'][number] | TariffText['feed_in'][number],
  path: Path,
  fault: Fault,
): Price {
  const key = oneOf(charge, ['price_per_kWh', 'periods', 'price_by_month', 'market'], path, fault);
  if (key === 'price_per_kWh') return { kind: 'fixed', value: charge.price_per_kWh! };
  if (key === 'price_by_month') return { kind: 'months', values: charge.price_by_month! };
  if (key === 'periods')
    return periodsOf(
      charge.periods!.map(({ price_per_kWh, ...period }) => ({ ...period, value: price_per_kWh })),
      path,
      fault,
    );
  if (key === null) return ONE;
  const { kind, exchange = null, min_per_kWh = null, max_per_kWh = null, ...market } = charge.market!;
  if (exchange && !currencies.has(exchange.currency))
    fault(
      [...path, 'market', 'exchange', 'currency'],
      `"${exchange.currency}" is no currency`,
      'Write its three letters, such as EUR.',
    );
  if (min_per_kWh !== null && max_per_kWh !== null && min_per_kWh > max_per_kWh)
    fault([...path, 'market', 'min_per_kWh'], 'min_per_kWh is above max_per_kWh', 'Swap the two.');
  return { kind: 'market', market: kind, ...market, exchange, min_per_kWh, max_per_kWh };
}

type PeriodText = { name: string; value: number; when?: WhenText | undefined };

function periodsOf(periods: readonly PeriodText[], path: Path, fault: Fault): Schedule {
  for (const [i, { when }] of periods.entries()) {
    const last = i === periods.length - 1;
    if (last && when)
      fault(
        [...path, 'periods', i, 'when'],
        'no period is left for the other times',
        'Add a last period without `when`.',
      );
    if (!last && !when)
      fault(
        [...path, 'periods', i],
        'this period always holds, so that those below never do',
        'Give it a `when`, or put it last.',
      );
  }
  return {
    kind: 'periods',
    periods: periods.map(({ name, value, when }, i) => ({
      ...{ name, value },
      when: readWhen(when, ({ key, problem, remedy }) => fault([...path, 'periods', i, 'when', key], problem, remedy)),
    })),
  };
}

function demandPriceOf(charge: TariffText['demand'][number], path: Path, fault: Fault): DemandPrice {
  const key = oneOf(charge, ['price_per_kW', 'steps', 'blocks'], path, fault);
  if (key === 'price_per_kW' || key === null) return { kind: 'linear', per_kW: charge.price_per_kW ?? 0 };
  const ends = charge[key]!.map(({ up_to_kW }) => up_to_kW);
  for (const [i, end] of ends.entries()) {
    const place = [...path, key, i];
    if (i === ends.length - 1 && end !== undefined)
      fault(place, `nothing is said of more than ${end} kW`, 'Leave `up_to_kW` out of the last one.');
    else if (i < ends.length - 1 && end === undefined)
      fault(place, 'only the last one may have no `up_to_kW`', 'Say up to which power it goes.');
    else if (i > 0 && end !== undefined && end <= (ends[i - 1] ?? Infinity))
      fault(
        [...place, 'up_to_kW'],
        `${end} kW is not above the ${ends[i - 1]} kW before it`,
        'Order them from small to large.',
      );
  }
  if (key === 'steps')
    return {
      kind: 'steps',
      steps: charge.steps!.map(({ up_to_kW, amount }) => ({ up_to_kW: up_to_kW ?? Infinity, amount })),
    };
  return {
    kind: 'blocks',
    blocks: charge.blocks!.map(({ up_to_kW, price_per_kW }) => ({
      up_to_kW: up_to_kW ?? Infinity,
      per_kW: price_per_kW,
    })),
  };
}

function co2Of(co2: NonNullable<TariffText['co2']>, fault: Fault): Schedule {
  const key = oneOf(co2, ['g_per_kWh', 'periods', 'by_month'], ['co2'], fault);
  if (key === 'by_month') return { kind: 'months', values: co2.by_month! };
  if (key !== 'periods') return { kind: 'fixed', value: co2.g_per_kWh ?? 0 };
  return periodsOf(
    co2.periods!.map(({ g_per_kWh, ...period }) => ({ ...period, value: g_per_kWh })),
    ['co2'],
    fault,
  );
}

function checkWhole(text: TariffText, tariff: Tariff, known: Known, fault: Fault): void {
  if (!currencies.has(text.currency))
    fault(['currency'], `"${text.currency}" is no currency`, 'Write its three letters (ISO 4217), such as EUR.');
  if (!isTimeZone(text.time_zone))
    fault(['time_zone'], `"${text.time_zone}" is no time zone`, 'Write an IANA name such as Europe/Berlin.');
  if (text.holidays !== undefined && known.region && !known.region(text.holidays))
    fault(
      ['holidays'],
      `the holidays of "${text.holidays}" are not known`,
      'Write a country such as DE, or with its part: DE-BY.',
    );
  if (text.holidays === undefined && asksHolidays(tariff))
    fault([], 'a `when` asks for holidays, but nothing says whose', 'Add "holidays: DE" (or DE-BY, NO, …) at the top.');
  for (const key of ['energy', 'feed_in', 'standing', 'demand', 'limits'] as const) {
    const names = text[key].map((one) => one.name);
    for (const [i, one] of names.entries())
      if (names.indexOf(one) < i) fault([key, i, 'name'], `"${one}" is there twice`, 'Give each its own name.');
  }
  for (const [i, { import_kW, export_kW }] of text.limits.entries())
    if (import_kW === undefined && export_kW === undefined)
      fault(['limits', i], 'this limit limits nothing', 'Give import_kW, export_kW or both.');
  for (const [i, { meter, without }] of text.energy.entries())
    if (meter !== undefined && without !== undefined)
      fault(['energy', i, 'without'], 'there are both meter and without', 'Leave one out.');
}

function asksHolidays(tariff: Tariff): boolean {
  const schedules = [...tariff.energy, ...tariff.feed_in].map(({ price }) => price);
  const periods = [...schedules, tariff.co2_g_per_kWh].flatMap((one) => (one?.kind === 'periods' ? one.periods : []));
  return [...periods, ...tariff.demand, ...tariff.limits].some(
    ({ when }) => when !== null && when.holidays !== 'count',
  );
}

function isTimeZone(name: string): boolean {
  // Intl also takes offsets such as +01:00, which know no clock change.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
