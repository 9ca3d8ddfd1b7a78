/** Where amounts, cover and marks gather per slot, and the times that the computation of slots goes by. */
import { Quality } from '../model/quality.ts';
import { HOUR_MS, SLOT_MS } from '../model/time.ts';
import type { SlotColumns, Span } from '../ports.ts';

/** How far before and after the range readings should be supplied: whether a reading is a spike, a dip or a reset shows
 * in its neighbours. With less (at least the last reading before and the first after) only the edges may differ. */
export const CONTEXT_MS = 6 * HOUR_MS;
/** A register's difference over a longer gap becomes a span; over a shorter one it is spread and marked ESTIMATED. */
export const GAP_MS = 2 * HOUR_MS;
/** Readings further apart than this make the slots between them ESTIMATED. */
export const ESTIMATED_ABOVE_MS = 1.5 * SLOT_MS;

/** What was found in the readings; each lies in exactly one of two adjoining ranges: from_ms < at_ms ≤ to_ms. */
export type QualityEvent = {
  kind: 'reset' | 'rollover' | 'dip' | 'spike' | 'jump' | 'unit' | 'mixed' | 'stuck' | 'overlap' | 'malformed';
  at_ms: number;
  /** The values before and after (or, for spike and dip, the last good one and the one left out). */
  from: number;
  to: number;
};

/**
 * `slots` has only slots that have a value or a mark. The value of a PARTIAL slot of energy is what is known of it. A
 * slot's SPIKE, DIP or OUT_OF_RANGE mark says that such a reading was left out; its value is good. A span belongs to
 * the range that holds its end: from_ms < span.to_ms ≤ to_ms.
 */
export type SlotResult = { slots: SlotColumns; spans: Span[]; events: QualityEvent[] };

/** Readings that may enter sums, with the marks of those that may not. */
export type Usable = {
  count: number;
  at_ms: Float64Array;
  values: Float64Array;
  quality: Int32Array;
  starts_ms: Float64Array | null;
  /** What the device is rated for, in units per hour; left out: not known. */
  rated_per_h?: number;
  /** The most that the meter has counted on its busier days, in units per hour; left out: not known yet. */
  usual_max_per_h?: number;
};

export type Accumulator = ReturnType<typeof createAccumulator>;

/** Gathers amounts, cover and marks per slot of [from_ms, to_ms); what falls outside is ignored. */
export function createAccumulator(from_ms: number, to_ms: number) {
  const n = (to_ms - from_ms) / SLOT_MS;
  const amount = new Float64Array(n);
  const covered_ms = new Float64Array(n);
  const flags = new Int32Array(n);
  const spans: Span[] = [];
  const events: QualityEvent[] = [];
  /** Gauges divide by the covered time; energy does not. */
  let mean = false;

  function mark(at_ms: number, bits: number): void {
    const k = Math.floor((at_ms - from_ms) / SLOT_MS);
    if (k >= 0 && k < n) flags[k]! |= bits;
  }
  /** Adds `value` to the slots that [a_ms, b_ms) overlaps: by its share of time, or (weighted) value × overlap. */
  function spread(a_ms: number, b_ms: number, value: number, bits: number, weighted = false): void {
    const first = Math.max(0, Math.floor((a_ms - from_ms) / SLOT_MS));
    for (let k = first; k < n; k++) {
      const start = from_ms + k * SLOT_MS;
      if (start >= b_ms) return;
      const overlap = Math.min(b_ms, start + SLOT_MS) - Math.max(a_ms, start);
      if (overlap <= 0) continue;
      amount[k]! += weighted ? value * overlap : overlap === b_ms - a_ms ? value : value * (overlap / (b_ms - a_ms));
      covered_ms[k]! += overlap;
      flags[k]! |= bits;
    }
  }
  function span(a_ms: number, b_ms: number, value: number, quality: number): void {
    if (b_ms > from_ms && b_ms <= to_ms) spans.push({ from_ms: a_ms, to_ms: b_ms, value, quality });
  }
  function event(kind: QualityEvent['kind'], at_ms: number, from: number, to: number): void {
    if (at_ms > from_ms && at_ms <= to_ms) events.push({ kind, at_ms, from, to });
  }
  function result(): SlotResult {
    let rows = 0;
    for (let k = 0; k < n; k++) if (covered_ms[k]! > 0 || flags[k] !== 0) rows++;
    const slots = { at_ms: new Float64Array(rows), values: new Float64Array(rows), quality: new Int32Array(rows) };
    let row = 0;
    for (let k = 0; k < n; k++) {
      if (covered_ms[k] === 0 && flags[k] === 0) continue;
      const whole = mean ? 0.8 * SLOT_MS : SLOT_MS - 1000;
      slots.at_ms[row] = from_ms + k * SLOT_MS;
      slots.values[row] = covered_ms[k] === 0 ? NaN : mean ? amount[k]! / covered_ms[k]! : amount[k]!;
      slots.quality[row] = flags[k]! | (covered_ms[k]! < whole ? Quality.PARTIAL : 0);
      row++;
    }
    events.sort((a, b) => a.at_ms - b.at_ms);
    return { slots, spans, events };
  }
  return {
    from_ms,
    to_ms,
    mark,
    spread,
    span,
    event,
    result,
    /** From now on amounts are value × ms, and the slot's value is their mean over the covered time. */
    asMean: () => {
      mean = true;
    },
  };
}
