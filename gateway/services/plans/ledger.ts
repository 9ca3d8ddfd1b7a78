/**
 * The ledger's arithmetic: each device is taken out in turn, and the difference of two bills is its part, so that the
 * parts add up to the whole difference to the cent; within a part so do the lines of the bills. Pure.
 */
import type { PlanDevice } from '../../../engine/dispatch/plan-devices.ts';
import { type GridCourse, shiftedGrid } from '../../../engine/dispatch/without-devices.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Bill } from '../../../engine/tariff/bill.ts';
import type { LineKind } from '../../../engine/tariff/line.ts';
import { fromCents, toCents } from '../../../engine/tariff/money.ts';

export type SavingLine = { kind: LineKind; name: string; amount: number };
export type SavingPart = {
  device: string;
  name: string;
  kind: PlanDevice['kind'];
  /** What was not paid thanks to it; negative: it cost. */
  amount: number;
  /** By line of the bill; they add up to `amount`. */
  lines: SavingLine[];
};
export type DeviceChange = {
  device: Pick<PlanDevice, 'id' | 'name' | 'kind'>;
  /** kWh that the building would have taken more in each slot without the device being moved; null: not measured. */
  change: Float64Array | null;
};
export type Ledger = {
  currency: string;
  /** The bill as it was, and as it would have been; the difference is `saving`. */
  actual: number;
  without: number;
  saving: number;
  parts: SavingPart[];
  /** Names of devices that nothing measures. */
  unproved: string[];
  /** Slots of which something is not known: no saving is counted in them. */
  missing_slots: number;
};

/** @throws InvalidDataError where a price is missing, so that there is no bill */
export function ledgerOf(
  measured: GridCourse,
  changes: readonly DeviceChange[],
  billOf: (grid: GridCourse) => Bill,
): Ledger {
  const missing = Uint8Array.from(measured.import_kWh, (kWh) => (Number.isNaN(kWh) ? 1 : 0));
  const first = billOf(measured);
  const parts: SavingPart[] = [];
  let [grid, bill] = [measured, first];
  for (const { device, change } of changes) {
    if (!change) continue;
    // Where the device was not measured nothing is claimed: the bill as it was stays the real one.
    const proved = change.map((kWh, t) => {
      if (!Number.isNaN(kWh)) return kWh;
      missing[t] = 1;
      return 0;
    });
    const without = shiftedGrid(grid, proved);
    const next = billOf(without);
    parts.push(partOf(device, bill, next));
    [grid, bill] = [without, next];
  }
  if (first.total === null || bill.total === null)
    throw new InvalidDataError(
      'A price of these days is missing, so that they have no bill.',
      'The page Prices says how its sources do.',
    );
  const cents = (amount: number) => toCents(amount, first.currency, first.rounding);
  return {
    ...{ currency: first.currency, actual: first.total, without: bill.total, parts },
    saving: fromCents(cents(bill.total) - cents(first.total), first.currency),
    unproved: changes.flatMap(({ device, change }) => (change ? [] : [device.name])),
    missing_slots: missing.reduce((count, one) => count + one, 0),
  };
}

/** What the lines of the dearer bill have more, in whole cents. */
function partOf({ id, name, kind }: DeviceChange['device'], bill: Bill, without: Bill): SavingPart {
  const { currency, rounding } = bill;
  const keys = new Map<string, { kind: LineKind; name: string }>();
  const sums = new Map<string, number>();
  const add = (one: Bill, sign: 1 | -1) => {
    for (const line of one.lines) {
      const key = `${line.kind} ${line.name} ${line.period ?? ''} ${line.kind === 'vat' ? line.vat_percent : ''}`;
      keys.set(key, {
        kind: line.kind,
        name:
          [line.name, line.period].filter(Boolean).join(': ') ||
          (line.kind === 'vat' ? `VAT ${line.vat_percent} %` : ''),
      });
      sums.set(key, (sums.get(key) ?? 0) + sign * toCents(line.amount ?? 0, currency, rounding));
    }
  };
  add(without, 1);
  add(bill, -1);
  const lines = [...sums]
    .filter(([, cents]) => cents !== 0)
    .map(([key, cents]) => ({ ...keys.get(key)!, amount: fromCents(cents, currency) }));
  const cents = [...sums.values()].reduce((sum, one) => sum + one, 0);
  return { device: id, name, kind, amount: fromCents(cents, currency), lines };
}
