/**
 * What the energy in one store is worth, exactly: the cost from a slot to the end as a convex piecewise-linear function
 * of the energy at its start, carried backwards slot by slot (dynamic programming; the step is an infimal convolution,
 * which merges sorted slopes: R. T. Rockafellar, "Convex Analysis", 1970, §5 and §16). A month of hours takes well
 * under a millisecond. Prices must not be negative, so that buying to burn never pays.
 */

/** A slot: energy in kWh of the slot, prices per kWh. */
export type StoreStage = {
  price: number;
  /** For each kWh of generation that is left over; at most `price`. The store itself never feeds in. */
  feed_in: number;
  /** Fixed consumption less generation. */
  net_kWh: number;
  /** Above this, each kWh from the grid costs `over_price` more. */
  cap_kWh: number;
  over_price: number;
};

export type StoreLimits = {
  capacity_kWh: number;
  /** Most at the terminals in a slot. */
  charge_kWh: number;
  discharge_kWh: number;
  charge_efficiency: number;
  discharge_efficiency: number;
  /** Share of the energy that is still there after a slot. */
  keep: number;
};

export type ValueFunction = {
  /** Cost at the end: `short_price` for each kWh below `wanted_kWh`, minus `worth` for each above. */
  end(wanted_kWh: number, short_price: number, worth: number): void;
  /** Goes one slot back. */
  back(stage: StoreStage): void;
  /** Cost from here on with `energy_kWh` stored. */
  cost(energy_kWh: number): number;
  /** Value of one more kWh stored. */
  worth(energy_kWh: number): number;
  /** The best change of stored energy in a slot that ends where this function begins. */
  change(stage: StoreStage, energy_kWh: number): number;
  copy(from: ValueFunction): void;
  /** Becomes the mean of several: what is to be expected when any of them may turn out to hold. */
  average(of: readonly ValueFunction[]): void;
  segments(): Segments;
};

/** Cost at zero energy, then pieces by rising slope. */
export type Segments = { start: number; count: number; length: Float64Array; slope: Float64Array };

const ROOM = 128;
const NOTHING = 1e-12;

export function createValueFunction(limits: StoreLimits): ValueFunction {
  let now: Segments = emptySegments();
  let next: Segments = emptySegments();
  const stage_cost = emptySegments();
  return {
    end(wanted_kWh, short_price, worth) {
      now.start = short_price * wanted_kWh;
      now.count = 0;
      append(now, wanted_kWh, -short_price);
      append(now, limits.capacity_kWh - wanted_kWh, -worth);
    },
    back(stage) {
      stageCost(stage, limits, stage_cost);
      convolve(now, stage_cost, next);
      cut(next, limits.charge_kWh * limits.charge_efficiency, limits);
      [now, next] = [next, now];
    },
    cost: (energy_kWh) => valueAt(now, energy_kWh),
    worth: (energy_kWh) => -slopeAt(now, energy_kWh),
    change: (stage, energy_kWh) => {
      stageCost(stage, limits, stage_cost);
      const out = Math.min(limits.discharge_kWh, Math.max(0, stage.net_kWh)) / limits.discharge_efficiency;
      return bestChange(now, stage_cost, out, limits.keep * energy_kWh, limits.capacity_kWh);
    },
    copy(from) {
      const other = from.segments();
      if (other.count > now.length.length) grow(now, other.length.length);
      now.start = other.start;
      now.count = other.count;
      now.length.set(other.length.subarray(0, other.count));
      now.slope.set(other.slope.subarray(0, other.count));
    },
    average(of) {
      mean(
        of.map((one) => one.segments()),
        next,
      );
      [now, next] = [next, now];
    },
    segments: () => now,
  };
}

/** The mean of convex functions has all their breaks, and at each place the mean of their slopes. */
function mean(of: readonly Segments[], to: Segments): void {
  const at = of.map(() => 0);
  const left = of.map(({ length }) => length[0] ?? 0);
  to.start = of.reduce((sum, { start }) => sum + start, 0) / of.length;
  to.count = 0;
  while (of.every(({ count }, i) => at[i]! < count)) {
    let [step, slope] = [Infinity, 0];
    for (let i = 0; i < of.length; i++) {
      step = Math.min(step, left[i]!);
      slope += of[i]!.slope[at[i]!]!;
    }
    append(to, step, slope / of.length);
    for (let i = 0; i < of.length; i++) {
      left[i]! -= step;
      if (left[i]! <= NOTHING) left[i] = of[i]!.length[++at[i]!] ?? 0;
    }
  }
}

export function emptySegments(): Segments {
  return { start: 0, count: 0, length: new Float64Array(ROOM), slope: new Float64Array(ROOM) };
}

function append(to: Segments, length: number, slope: number): void {
  if (length <= NOTHING) return;
  const last = to.count - 1;
  if (last >= 0 && to.slope[last] === slope) {
    to.length[last]! += length;
    return;
  }
  if (to.count === to.length.length) grow(to, 2 * to.count);
  to.length[to.count] = length;
  to.slope[to.count] = slope;
  to.count++;
}

function grow(segments: Segments, room: number): void {
  const [length, slope] = [new Float64Array(room), new Float64Array(room)];
  length.set(segments.length);
  slope.set(segments.slope);
  segments.length = length;
  segments.slope = slope;
}

/**
 * The slot's cost over the change of stored energy, from the largest discharge (`start` is its cost) to the largest
 * charge. Grid energy is net + change / efficiency or net + change · efficiency; it never goes below zero.
 */
export function stageCost(
  { price, feed_in, net_kWh, cap_kWh, over_price }: StoreStage,
  limits: StoreLimits,
  to: Segments,
): void {
  const { charge_kWh, discharge_kWh, charge_efficiency: ec, discharge_efficiency: ed } = limits;
  const grid_idle = Math.max(0, net_kWh);
  const out = Math.min(discharge_kWh, grid_idle);
  // Charging first takes what would be fed in, then buys, then buys above the cap.
  const free = Math.min(charge_kWh, Math.max(0, -net_kWh));
  const [least, most] = [grid_idle - out, grid_idle + charge_kWh - free];
  to.start = price * least + over_price * Math.max(0, least - cap_kWh) - feed_in * Math.max(0, -net_kWh);
  to.count = 0;
  const dear = price + over_price;
  const below = Math.min(out, Math.max(0, cap_kWh - least));
  append(to, below / ed, price * ed);
  append(to, (out - below) / ed, dear * ed);
  append(to, free * ec, feed_in / ec);
  const cheap = Math.max(0, Math.min(most, cap_kWh) - grid_idle);
  append(to, cheap * ec, price / ec);
  append(to, (most - grid_idle - cheap) * ec, dear / ec);
}

/** min over changes of stage(change) + value(energy + change): slopes of both, the stage's reversed, by size. */
function convolve(value: Segments, stage: Segments, out: Segments): void {
  let total = stage.start;
  for (let k = 0; k < stage.count; k++) total += stage.length[k]! * stage.slope[k]!;
  out.start = value.start + total;
  out.count = 0;
  let [a, b] = [0, stage.count - 1];
  while (a < value.count || b >= 0) {
    if (b < 0 || (a < value.count && value.slope[a]! <= -stage.slope[b]!))
      append(out, value.length[a]!, value.slope[a++]!);
    else append(out, stage.length[b]!, -stage.slope[b--]!);
  }
}

/** Leaves what begins `from` after the start and is as long as the store, seen before the slot's losses. */
function cut(value: Segments, from: number, { capacity_kWh, keep }: StoreLimits): void {
  let [skip, left, count] = [from, keep * capacity_kWh, 0];
  for (let k = 0; k < value.count && left > NOTHING; k++) {
    let length = value.length[k]!;
    const slope = value.slope[k]!;
    if (skip > 0) {
      const skipped = Math.min(skip, length);
      value.start += skipped * slope;
      skip -= skipped;
      length -= skipped;
      if (length <= NOTHING) continue;
    }
    length = Math.min(length, left);
    left -= length;
    value.length[count] = length / keep;
    value.slope[count] = slope * keep;
    count++;
  }
  value.count = count;
}

/** The function at one energy. */
export function valueAt({ start, count, length, slope }: Segments, energy: number): number {
  let [cost, left] = [start, energy];
  for (let k = 0; k < count && left > 0; k++) {
    const part = Math.min(left, length[k]!);
    cost += part * slope[k]!;
    left -= part;
  }
  return cost;
}

function slopeAt({ count, length, slope }: Segments, energy: number): number {
  let left = energy;
  for (let k = 0; k < count; k++) {
    if (left < length[k]!) return slope[k]!;
    left -= length[k]!;
  }
  return count === 0 ? 0 : slope[count - 1]!;
}

/** Goes up from the largest discharge while one more kWh stored is worth at least its price in the slot. */
export function bestChange(
  value: Segments,
  stage: Segments,
  most_out: number,
  energy: number,
  capacity: number,
): number {
  let at = energy - most_out;
  let k = 0;
  let rest = stage.length[0] ?? 0;
  // Below empty is no choice.
  while (at < 0 && k < stage.count) {
    const part = Math.min(rest, -at);
    at += part;
    rest -= part;
    if (rest <= NOTHING) rest = stage.length[++k] ?? 0;
  }
  let piece = 0;
  let left = at;
  while (piece < value.count && left >= value.length[piece]!) left -= value.length[piece++]!;
  let room = piece < value.count ? value.length[piece]! - left : 0;
  while (k < stage.count && piece < value.count && at < capacity - NOTHING && -value.slope[piece]! > stage.slope[k]!) {
    const part = Math.min(rest, room);
    at += part;
    rest -= part;
    room -= part;
    if (rest <= NOTHING) rest = stage.length[++k] ?? 0;
    if (room <= NOTHING) room = value.length[++piece] ?? 0;
  }
  return Math.min(at, capacity) - energy;
}
