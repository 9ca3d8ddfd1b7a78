/** From a distribution to a choice that can be evaluated later: nobody below the floor, and what is logged is what is drawn from. */

/** No eligible action is less likely than this, as long as there are at most 1 / PROPENSITY_FLOOR of them. */
export const PROPENSITY_FLOOR = 0.002;

/**
 * Mixes `base` (≥ 0, sum 1 up to rounding) with even chances: p = (1 − k · f) · base + f, f = min(floor, 1 / k).
 * @returns as many probabilities, each at least f, that sum to 1 up to rounding.
 */
export function mixFloor(base: Float64Array, floor = PROPENSITY_FLOOR): Float64Array {
  const k = base.length;
  const least = Math.min(floor, 1 / k);
  let total = 0;
  for (const p of base) total += p;
  return base.map((p) => least + (1 - k * least) * (total > 0 ? p / total : 1 / k));
}

/** The index that `point` (0 ≤ point < 1) falls on when the probabilities are laid end to end. */
export function drawIndex(probabilities: Float64Array, point: number): number {
  let sum = 0;
  let last = -1;
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i]! <= 0) continue;
    sum += probabilities[i]!;
    last = i;
    if (point < sum) return i;
  }
  return last;
}
