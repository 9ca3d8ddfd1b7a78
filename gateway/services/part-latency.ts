/** How long the parts of the box took to answer their probes, over the last hundred of each. */
export type PartLatency = { p50_ms: number; p95_ms: number };

const KEPT = 100;

export function createPartLatency() {
  const taken = new Map<string, number[]>();
  return {
    note(part: string, took_ms: number): void {
      const times = taken.get(part) ?? [];
      times.push(took_ms);
      if (times.length > KEPT) times.shift();
      taken.set(part, times);
    },
    /** Null before the first answer. */
    of(part: string): PartLatency | null {
      const times = [...(taken.get(part) ?? [])].sort((a, b) => a - b);
      if (times.length === 0) return null;
      const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
      return { p50_ms: at(0.5), p95_ms: at(0.95) };
    },
  };
}
