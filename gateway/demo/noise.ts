/** Randomness that depends only on a seed and a place in time: asked twice, it answers the same. */

/** @returns a number in [0, 1) for (seed, channel, index). Finaliser of MurmurHash3 over 32 bits. */
export function hash01(seed: number, channel: number, index: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(channel + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15) ^ index, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ Math.floor(index / 4_294_967_296), 0xc2b2ae35);
  h ^= h >>> 16;
  h = Math.imul(h, 0x45d9f3b);
  return ((h ^ (h >>> 15)) >>> 0) / 4_294_967_296;
}

/** Smooth noise in [0, 1) over `at_ms`: random at multiples of `period_ms`, cosine between. */
export function smooth01(seed: number, channel: number, at_ms: number, period_ms: number): number {
  const index = Math.floor(at_ms / period_ms);
  const t = at_ms / period_ms - index;
  const weight = (1 - Math.cos(Math.PI * t)) / 2;
  return hash01(seed, channel, index) * (1 - weight) + hash01(seed, channel, index + 1) * weight;
}

/** Smooth noise in [-1, 1). */
export function smooth(seed: number, channel: number, at_ms: number, period_ms: number): number {
  return 2 * smooth01(seed, channel, at_ms, period_ms) - 1;
}
