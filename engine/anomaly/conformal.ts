/**
 * How unusual a number is among the newest ones of its kind: the conformal p-value (rank + 1) / (n + 1) of Vovk et al.
 * 2005, in the tail smoothed by the power law of its largest values (Hill 1975), so that values beyond all that was seen
 * still differ.
 */

export type Ranks = {
  /** p-value of `value` among those taken so far; 1 while there are too few. Not taken by this. */
  p(value: number): number;
  take(value: number): void;
  readonly count: number;
};

const LEAST = 40;

/** @param most how many of the newest are kept. @param tail how many of the largest make the tail, as a share. */
export function createRanks(most: number, tail = 0.05): Ranks {
  const sorted = new Float64Array(most + 1);
  const order: number[] = [];
  let [count, oldest] = [0, 0];
  /** First place whose value is not below `value`. */
  const place = (value: number): number => {
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    get count() {
      return count;
    },
    p(value) {
      if (count < LEAST || Number.isNaN(value)) return 1;
      const above = count - place(value);
      const largest = Math.max(8, Math.floor(tail * count));
      if (above >= largest) return (above + 1) / (count + 1);
      const from = sorted[count - largest - 1]!;
      if (!(from > 0)) return (above + 1) / (count + 1);
      let sum = 0;
      for (let k = count - largest; k < count; k++) sum += Math.log(sorted[k]! / from);
      const shape = Math.max(0.1, sum / largest);
      return ((largest + 1) / (count + 1)) * Math.max(1, value / from) ** (-1 / shape);
    },
    take(value) {
      if (Number.isNaN(value)) return;
      if (count === most) {
        const at = place(order[oldest]!);
        sorted.copyWithin(at, at + 1, count);
        count--;
        order[oldest] = value;
        oldest = (oldest + 1) % most;
      } else order.push(value);
      const at = place(value);
      sorted.copyWithin(at + 1, at, count);
      sorted[at] = value;
      count++;
    },
  };
}
