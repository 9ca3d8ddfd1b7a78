/** The highest scores of many, without sorting them all: a heap whose root is the lowest that is kept. */
export type Best = {
  offer(item: number, score: number): void;
  /** Highest first; of equal scores the lower item. */
  list(): number[];
  /** The same in no order. */
  items(): Int32Array;
};

export function createBest(limit: number): Best {
  const items = new Int32Array(Math.max(1, limit));
  const scores = new Float64Array(Math.max(1, limit));
  let size = 0;

  /** Whether what stands at `a` goes before what stands at `b` when the worst go. */
  function worse(a: number, b: number): boolean {
    const x = scores[a] ?? 0;
    const y = scores[b] ?? 0;
    return x < y || (x === y && (items[a] ?? 0) > (items[b] ?? 0));
  }

  function swap(a: number, b: number): void {
    const item = items[a] ?? 0;
    const score = scores[a] ?? 0;
    items[a] = items[b] ?? 0;
    scores[a] = scores[b] ?? 0;
    items[b] = item;
    scores[b] = score;
  }

  function sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < size && worse(left, least)) least = left;
      if (right < size && worse(right, least)) least = right;
      if (least === at) return;
      swap(at, least);
      at = least;
    }
  }

  function rise(): void {
    for (let at = size - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!worse(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  }

  return {
    offer(item, score) {
      if (size < limit) {
        items[size] = item;
        scores[size] = score;
        size += 1;
        rise();
        return;
      }
      const lowest = scores[0] ?? 0;
      if (limit <= 0 || score < lowest || (score === lowest && item > (items[0] ?? 0))) return;
      items[0] = item;
      scores[0] = score;
      sink();
    },
    items: () => items.subarray(0, size),
    list() {
      const order = Array.from({ length: size }, (_, at) => at);
      order.sort((a, b) => (worse(a, b) ? 1 : -1));
      return order.map((at) => items[at] ?? 0);
    },
  };
}
