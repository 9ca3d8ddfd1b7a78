/**
 * Quality of a value as bit flags, so that a slot can carry the union of its readings' marks.
 * 0 is a good measurement. Values with an EXCLUDED flag are kept and shown, never summed.
 */
export const Quality = {
  OK: 0,
  /** Computed from neighbours, a register span or power; not measured at this instant. */
  ESTIMATED: 1,
  /** Set by a person; wins over every import. */
  REPAIRED: 2,
  /** Jump that the meter's size or neighbours make impossible. */
  SPIKE: 4,
  /** The register fell back to (near) zero or to an earlier value and went on from there. */
  RESET: 8,
  /** The register passed its last digit. */
  ROLLOVER: 16,
  /** A later, different value replaced an earlier one; the earlier is in the change log. */
  CHANGED: 32,
  /** Part of the slot has no readings. */
  PARTIAL: 64,
  /** Outside the quantity's plausible limits. */
  OUT_OF_RANGE: 128,
  /** The value stood still while it should have moved. */
  STUCK: 256,
  /** Energy integrated from power because the meter has no register. */
  FROM_POWER: 512,
  /** The device's clock was ahead of ours beyond the allowance. */
  CLOCK: 1024,
  /** A register dipped and came back: the dip is left out. */
  DIP: 2048,
  /** The register went on at a level that it cannot have counted to: the step is left out, what follows is counted. */
  JUMP: 4096,
  /** Counted in another unit than before (kWh and Wh): left out until the unit is back or a person repairs it. */
  UNIT: 8192,
  /** Values of two registers alternate under one name: which is meant cannot be known, so both are left out. */
  MIXED: 16384,
  /** Came long after its time over MQTT, as a retained message of a former time does: it stays in its time, and what a
   * register counted from it to the next reading after a long gap is left out. */
  LATE: 32768,
  /** Of a span: counted while no readings came, so that the sum is known and when it was counted is not. */
  GAP: 65536,
} as const;

export type QualityFlags = number;

const NAMES = Object.entries(Quality)
  .filter(([, bit]) => bit !== 0)
  .map(([name, bit]) => [name.toLowerCase(), bit] as const);

/** Flags whose values never enter a sum, mean or bill. */
export const EXCLUDED: QualityFlags = Quality.SPIKE | Quality.OUT_OF_RANGE | Quality.CLOCK | Quality.DIP;

/** @returns `ok`, or the flags' names joined by `+` (`estimated+from_power`). */
export function qualityText(flags: QualityFlags): string {
  const set = NAMES.filter(([, bit]) => flags & bit).map(([name]) => name);
  return set.length === 0 ? 'ok' : set.join('+');
}
