/**
 * The value of stored energy where the next slots are not certain. As in value-function.ts the cost from a slot on is
 * convex and piecewise linear, but its pieces all have one length, so that the mean over what a slot may be is as short
 * as each: stochastic dynamic programming for demand that is independent from slot to slot (D. P. Bertsekas, "Dynamic
 * Programming and Optimal Control" I, 2005, §1.3). At the ends of the pieces a step is exact.
 */
import { emptySegments, type Segments, type StoreLimits, type StoreStage, stageCost } from './value-function.ts';

/** What a slot may be, with its probability; the sum of `weight` is 1. */
export type Chance = StoreStage & { weight: number };

export type ValueGrid = {
  create(): Segments;
  /** `short_price` for each kWh below `wanted_kWh`. */
  end(value: Segments, wanted_kWh: number, short_price: number): void;
  /** Goes one slot back: decided when it is known which of its chances came. */
  back(value: Segments, chances: readonly Chance[]): void;
  copy(value: Segments, from: Segments): void;
  /** Becomes value + weight · other. */
  add(value: Segments, other: Segments, weight: number): void;
  /** Becomes the largest convex function below both value and other + extra: whoever chooses takes the cheaper. */
  orElse(value: Segments, other: Segments, extra: number): void;
};

const NOTHING = 1e-12;

export function createValueGrid(limits: StoreLimits, pieces = 80): ValueGrid {
  const length = limits.capacity_kWh / pieces;
  const [stage, nodes, corners] = [emptySegments(), new Float64Array(pieces + 1), new Int32Array(pieces + 1)];
  let spare: Float64Array = new Float64Array(pieces);
  return {
    create: () => ({
      start: 0,
      count: pieces,
      length: new Float64Array(pieces).fill(length),
      slope: new Float64Array(pieces),
    }),
    end(value, wanted_kWh, short_price) {
      value.start = short_price * wanted_kWh;
      for (let k = 0; k < pieces; k++) {
        const part = Math.min(1, Math.max(0, wanted_kWh / length - k));
        value.slope[k] = part === 0 ? 0 : -short_price * part;
      }
    },
    back(value, chances) {
      spare.fill(0);
      let start = 0;
      for (const chance of chances) {
        stageCost(chance, limits, stage);
        start += chance.weight * stepBack(value, stage, limits, chance.weight, spare);
      }
      value.start = start;
      const former = value.slope;
      value.slope = spare;
      spare = former;
    },
    copy(value, from) {
      value.start = from.start;
      value.slope.set(from.slope);
    },
    add(value, other, weight) {
      value.start += weight * other.start;
      for (let k = 0; k < pieces; k++) value.slope[k] = value.slope[k]! + weight * other.slope[k]!;
    },
    orElse: (value, other, extra) => lowerHull(value, other, extra, nodes, corners),
  };
}

/**
 * Adds `weight` times the slopes one slot back to `to`: pieces of the value and of the slot's cost by rising slope,
 * seen before the slot's losses and averaged over each piece of the grid.
 * @returns the cost at zero energy
 */
function stepBack(value: Segments, stage: Segments, limits: StoreLimits, weight: number, to: Float64Array): number {
  const { slope, count } = value;
  const length = value.length[0]!;
  const share = weight / length;
  let cost = value.start + stage.start;
  for (let k = 0; k < stage.count; k++) cost += stage.length[k]! * stage.slope[k]!;
  let skip = limits.charge_kWh * limits.charge_efficiency;
  let [a, b, piece, room, sum] = [0, stage.count - 1, 0, limits.keep * length, 0];
  while (piece < count && (a < count || b >= 0)) {
    const own = b < 0 || (a < count && slope[a]! <= -stage.slope[b]!);
    const rise = own ? slope[a]! : -stage.slope[b]!;
    let left = own ? length : stage.length[b]!;
    if (own) a++;
    else b--;
    if (skip > 0) {
      const part = Math.min(skip, left);
      cost += part * rise;
      left -= part;
      skip = skip - part < NOTHING ? 0 : skip - part;
    }
    while (left >= room && piece < count) {
      sum += room * rise;
      left -= room;
      to[piece] = to[piece]! + sum * share;
      piece++;
      sum = 0;
      room = limits.keep * length;
    }
    sum += left * rise;
    room -= left;
  }
  // What rounding left out of the last piece.
  if (piece < count) to[piece] = to[piece]! + (sum + room * slope[count - 1]!) * share;
  return cost;
}

function lowerHull(value: Segments, other: Segments, extra: number, nodes: Float64Array, corners: Int32Array): void {
  const { count, slope } = value;
  const length = value.length[0]!;
  let [own, its, lower] = [value.start, other.start + extra, false];
  for (let k = 0; k <= count; k++) {
    if (its < own) lower = true;
    nodes[k] = Math.min(own, its);
    own += length * (slope[k] ?? 0);
    its += length * (other.slope[k] ?? 0);
  }
  if (!lower) return;
  let last = 0;
  for (let k = 0; k <= count; k++) {
    const above = () => {
      const [p, q] = [corners[last - 2]!, corners[last - 1]!];
      return (nodes[q]! - nodes[p]!) * (k - p) >= (nodes[k]! - nodes[p]!) * (q - p);
    };
    while (last >= 2 && above()) last--;
    corners[last++] = k;
  }
  value.start = nodes[0]!;
  for (let i = 1; i < last; i++) {
    const [p, q] = [corners[i - 1]!, corners[i]!];
    slope.fill((nodes[q]! - nodes[p]!) / ((q - p) * length), p, q);
  }
}
