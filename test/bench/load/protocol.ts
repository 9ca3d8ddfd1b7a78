/** What a bench and its process of clients say to each other. */
export type LoadClient = { username: string; password: string; client_id: string; topic: string; meter: string };
export type LoadOrder = {
  kind: 'mqtt' | 'http';
  port: number;
  clients: LoadClient[];
  /** API key of the HTTP load. */
  key?: string;
  seconds: number;
  /** Messages a client has under way; null with a rate. */
  window: number;
  /** Messages a second of all clients together; null: as many as go. */
  rate: number | null;
  /** `at` of each client's first message; each next one is a millisecond later. */
  base_ms: number;
  /** Goes on over broken connections, for a box that is being killed. */
  persistent?: boolean;
};
export type LoadResult = {
  acked: number;
  seconds: number;
  p50_ms: number;
  p99_ms: number;
  /** Message numbers by client: those below `sent` were sent; all below `contiguous` were acknowledged, and `others`. */
  acknowledged: { meter: string; sent: number; contiguous: number; others: number[] }[];
  faults: string[];
};

/** When the polled meters gave each value, by unit: `served[unit][i]` is the epoch ms at which FIRST_W + i was read. */
export type Served = Record<number, number[]>;
export const FIRST_W = 1000;

export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

/** Which messages of one client were acknowledged. */
export function createAcknowledged() {
  let contiguous = 0;
  const others = new Set<number>();
  return {
    add(n: number): void {
      others.add(n);
      while (others.delete(contiguous)) contiguous++;
    },
    has: (n: number) => n < contiguous || others.has(n),
    result: () => ({ contiguous, others: [...others] }),
  };
}
