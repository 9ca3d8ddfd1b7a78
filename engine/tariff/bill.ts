/**
 * The bill of a period, itemised, with the slots behind every line. Pure.
 *
 * How it counts: each line is computed from its slots without rounding, then rounded once to the currency's smallest
 * unit by the tariff's rule; VAT is a line of its own for each rate, on the sum of that rate's rounded lines; the total
 * is the sum of all lines, exactly. What is not known is said: a slot without a reading is in `missing` and counts
 * neither as 0 nor as anything else; a slot whose energy is known but whose price is not makes its line, and so the
 * total, null.
 */
import { SLOT_MS } from '../model/time.ts';
import { demandLines } from './bill-demand.ts';
import { co2Grams, energyLines, feedInLines, standingLines } from './bill-lines.ts';
import { type BillLine, type DraftLine, known } from './line.ts';
import { fromCents, toCents } from './money.ts';
import type { MissingPrices, TariffContext } from './prices.ts';
import { metersOf, type Tariff, type TariffVersion } from './tariff.ts';
import { inParts } from './versions.ts';

/** Energy per 15-minute slot at the grid connection; consecutive slots, NaN is unknown. */
export type SiteEnergy = {
  at_ms: Float64Array;
  import_kWh: Float64Array;
  /** null where nothing measures it. */
  export_kWh: Float64Array | null;
  /** 1 where the import of a slot is its share of a longer gap, whose sum alone is known. */
  spread?: Uint8Array;
  /** What meter points took that the tariff charges apart. */
  meters: Readonly<Record<string, Float64Array>>;
};

export type BillInput = {
  versions: readonly TariffVersion[];
  /** A local month, or another whole number of local days. */
  from_ms: number;
  to_ms: number;
  /** The clock: of a period that still runs only what was until then is billed. */
  now_ms: number;
  energy: SiteEnergy;
  /** What was taken before, since `historyStart`: for yearly demand charges and ratchets. */
  past: { at_ms: Float64Array; import_kWh: Float64Array };
  context: TariffContext;
};

export type MissingReadings = { what: string; from_ms: number; to_ms: number; slots: number };
export type Bill = {
  currency: string;
  from_ms: number;
  to_ms: number;
  /** Until when it counts: `to_ms`, or the clock. */
  until_ms: number;
  /** The versions of the tariff that it was computed with. */
  parts: readonly { valid_from: string; name: string; from_ms: number; to_ms: number }[];
  lines: readonly BillLine[];
  /** Sums of the lines without and with VAT; null where a line is. */
  net: number | null;
  total: number | null;
  import_kWh: number | null;
  export_kWh: number | null;
  co2_kg: number | null;
  rounding: Tariff['rounding'];
  missing: readonly MissingReadings[];
  unpriced: readonly MissingPrices[];
  /** Slots whose import is an even share of a gap's known sum: right as a sum, unknown in its course. */
  spread_slots: number;
  /** False while the period runs, or something is missing. */
  complete: boolean;
};

/** What the lines of one part of a bill, under one version of the tariff, are made of. */
export type BillPart = {
  tariff: Tariff;
  /** When the version began, be it before the bill's period. */
  begins_ms: number;
  from_ms: number;
  to_ms: number;
  until_ms: number;
  energy: SiteEnergy;
  past: BillInput['past'];
  context: TariffContext;
  unpriced: MissingPrices[];
};

/** @throws InvalidDataError where no version covers the period, or a market's currency is another. */
export function billOf(input: BillInput): Bill {
  const { from_ms, to_ms, now_ms, energy } = input;
  const until_ms = Math.max(from_ms, Math.min(to_ms, now_ms));
  const parts = inParts(input.versions, from_ms, to_ms);
  const unpriced: MissingPrices[] = [];
  const drafts = parts.flatMap((part) =>
    linesOf({ ...input, ...part, until_ms: Math.min(part.to_ms, until_ms), unpriced }),
  );
  const { currency, rounding } = parts.at(-1)!.tariff;
  const lines = withVat(drafts, currency, rounding);
  const missing = missingReadings(
    input,
    until_ms,
    parts.flatMap(({ tariff }) => metersOf(tariff)),
  );
  const sum = (of: readonly BillLine[]) => sumOf(of, currency, rounding);
  return {
    ...{ currency, rounding, from_ms, to_ms, until_ms, lines, missing, unpriced },
    parts: parts.map(({ valid_from, tariff, ...part }) => ({
      ...{ valid_from, name: tariff.name },
      ...{ from_ms: part.from_ms, to_ms: part.to_ms },
    })),
    net: sum(lines.filter(({ kind }) => kind !== 'vat')),
    total: sum(lines),
    import_kWh: known(energy.import_kWh),
    export_kWh: energy.export_kWh && known(energy.export_kWh),
    co2_kg: co2Of(parts, input),
    spread_slots: energy.spread?.reduce((sum, one) => sum + one, 0) ?? 0,
    complete: until_ms === to_ms && missing.length === 0 && unpriced.length === 0,
  };
}

function linesOf(part: BillPart): DraftLine[] {
  const cut = { ...part, energy: cutEnergy(part.energy, part.from_ms, part.until_ms) };
  return [...energyLines(cut), ...demandLines(part), ...standingLines(cut), ...feedInLines(cut)];
}

function cutEnergy({ at_ms, import_kWh, export_kWh, meters }: SiteEnergy, from_ms: number, to_ms: number): SiteEnergy {
  const first = at_ms.findIndex((at) => at >= from_ms);
  const end = at_ms.findIndex((at) => at >= to_ms);
  const cut = (values: Float64Array) =>
    first < 0 ? values.slice(0, 0) : values.slice(first, end < 0 ? undefined : end);
  return {
    at_ms: cut(at_ms),
    import_kWh: cut(import_kWh),
    export_kWh: export_kWh && cut(export_kWh),
    meters: Object.fromEntries(Object.entries(meters).map(([id, values]) => [id, cut(values)])),
  };
}

function withVat(drafts: readonly DraftLine[], currency: string, rounding: Tariff['rounding']): BillLine[] {
  const lines = drafts.map(({ exact, ...line }, i): BillLine => {
    const whole = exact === null ? null : toCents(exact, currency, rounding);
    return { id: String(i + 1), ...line, amount: whole === null ? null : fromCents(whole, currency) };
  });
  const rates = [...new Set(lines.map(({ vat_percent }) => vat_percent))]
    .filter((rate) => rate !== 0)
    .sort((a, b) => b - a);
  return [...lines, ...rates.map((rate, i) => vatLine(lines, rate, String(lines.length + i + 1), currency, rounding))];
}

/** VAT of one rate, on the sum of its rounded lines; its rows are those lines. */
function vatLine(
  lines: readonly BillLine[],
  vat_percent: number,
  id: string,
  currency: string,
  rounding: Tariff['rounding'],
): BillLine {
  const own = lines.filter((line) => line.vat_percent === vat_percent);
  const base = sumOf(own, currency, rounding);
  const rate = vat_percent / 100;
  const column = (value: (line: BillLine) => number) => Float64Array.from(own, value);
  return {
    ...{ id, kind: 'vat', name: '', period: null, unit: 'money', vat_percent },
    quantity: base,
    unit_price: rate,
    amount: base === null ? null : fromCents(toCents(base * rate, currency, rounding), currency),
    rows: {
      from_ms: column(({ rows }) => rows.from_ms[0] ?? Number.NaN),
      to_ms: column(({ rows }) => rows.to_ms.at(-1) ?? Number.NaN),
      quantity: column(({ amount }) => amount ?? Number.NaN),
      price: column(() => rate),
      amount: column(({ amount }) => (amount ?? Number.NaN) * rate),
    },
  };
}

/** Exact, in cents; null where a line is. */
function sumOf(lines: readonly BillLine[], currency: string, rounding: Tariff['rounding']): number | null {
  if (lines.some(({ amount }) => amount === null)) return null;
  return fromCents(
    lines.reduce((cents, { amount }) => cents + toCents(amount!, currency, rounding), 0),
    currency,
  );
}

function missingReadings(
  { energy, from_ms }: BillInput,
  until_ms: number,
  meters: readonly string[],
): MissingReadings[] {
  const asked: (readonly [string, Float64Array | null | undefined])[] = [
    ['import', energy.import_kWh],
    ['export', energy.export_kWh],
    ...[...new Set(meters)].map((id) => [id, energy.meters[id]] as const),
  ];
  return asked.flatMap(([what, values]) => {
    if (values === null) return [];
    const holes = Array.from(energy.at_ms.keys()).filter(
      (i) => energy.at_ms[i]! >= from_ms && energy.at_ms[i]! < until_ms && !(values && !Number.isNaN(values[i]!)),
    );
    const joined: MissingReadings[] = [];
    for (const i of holes) {
      const at = energy.at_ms[i]!;
      const last = joined.at(-1);
      if (last?.to_ms === at) {
        last.to_ms += SLOT_MS;
        last.slots++;
      } else joined.push({ what, from_ms: at, to_ms: at + SLOT_MS, slots: 1 });
    }
    return joined;
  });
}

function co2Of(parts: ReturnType<typeof inParts>, { energy, context }: BillInput): number | null {
  const grams = parts.map(({ tariff, from_ms, to_ms }) => {
    if (tariff.co2_g_per_kWh === null) return null;
    return known(co2Grams(tariff, cutEnergy(energy, from_ms, to_ms), context));
  });
  return grams.some((value) => value === null) ? null : grams.reduce<number>((sum, value) => sum + value!, 0) / 1000;
}
