/**
 * The demand charges of a tariff as a plan weighs them: each as hinges, a price for each kW above what is billed anyway.
 * A charge on the mean of n peaks of different days becomes one hinge for each day, with the n-th part of the price
 * above the smallest of the n largest so far: below that a day's peak is not billed. Steps are weighed by their convex
 * lower bound. Hourly means are kept by keeping each of their slots, which is cautious.
 */
import type { DemandTerm as TariffTerm } from '../tariff/demand-terms.ts';
import type { DemandTerm } from './site.ts';

/** @param slots of the plan; the tariff's terms must be of the same horizon */
export function planDemand(terms: readonly TariffTerm[], slots: number): DemandTerm[] {
  return terms.flatMap((term, k) => hingesOf(term, `${term.charge.name} ${k + 1}`, slots));
}

type Days = { measured: number[]; date: string }[];

function hingesOf(term: TariffTerm, id: string, slots: number): DemandTerm[] {
  const byDay = daysOf(term, slots);
  if (byDay.length === 0) return [];
  const daily = term.distinct_days && term.count > 1;
  const groups: Days = daily ? byDay : [{ date: '', measured: byDay.flatMap(({ measured }) => measured) }];
  return groups.flatMap(({ date, measured }) => {
    const others = term.realised.filter((peak) => !daily || peak.date !== date).map(({ kW }) => kW);
    const own = daily ? term.realised.filter((peak) => peak.date === date).map(({ kW }) => kW) : [];
    const largest = others.slice(0, term.count);
    const smallest = largest.length === term.count ? largest.at(-1)! : 0;
    const rest = largest.slice(0, term.count - 1).reduce((sum, kW) => sum + kW, 0);
    // What one peak must reach for the mean of all to reach `mean`.
    const peakFor = (mean: number) => term.count * mean - rest;
    const free_kW = Math.max(0, smallest, ...own, peakFor(term.floor_kW));
    let slope = 0;
    return term.pieces.flatMap((piece, i) => {
      const more = piece.per_kW - slope;
      slope = piece.per_kW;
      if (!(more > 0)) return [];
      const before = term.pieces[i - 1];
      const from_kW = before ? peakFor((before.fixed - piece.fixed) / more) : 0;
      return [
        spanTerm(
          `${id}${date && ` ${date}`}${i > 0 ? ` piece ${i + 1}` : ''}`,
          measured,
          more / term.count,
          Math.max(free_kW, from_kW),
        ),
      ];
    });
  });
}

function daysOf({ intervals }: TariffTerm, slots: number): Days {
  const days = new Map<string, number[]>();
  for (const { first, count, date } of intervals) {
    const measured = days.get(date) ?? [];
    for (let t = first; t < Math.min(slots, first + count); t++) measured.push(t);
    days.set(date, measured);
  }
  return [...days].filter(([, measured]) => measured.length > 0).map(([date, measured]) => ({ date, measured }));
}

function spanTerm(id: string, measured: readonly number[], per_kW: number, realised_kW: number): DemandTerm {
  const [from_slot, to_slot] = [measured[0]!, measured.at(-1)! + 1];
  const term = { id, from_slot, to_slot, per_kW, realised_kW };
  if (measured.length === to_slot - from_slot) return term;
  const when = new Array<boolean>(to_slot - from_slot).fill(false);
  for (const t of measured) when[t - from_slot] = true;
  return { ...term, when };
}
