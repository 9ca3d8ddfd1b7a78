/**
 * Repairs lie over the readings in the order in which they were made, like sheets over a table. To take one back is to
 * pull its sheet out: what later ones set stays, what earlier ones set shows again, and where there are none the
 * reading does. So taking back and bringing again may come in any order and always give the same. Pure.
 */

/** What lies over a reading: 0 nothing, 1 a value, 2 that there is none. */
export type Overlay = { set: 0 | 1 | 2; value: number | null };
/** One instant of one repair. `act` grows with each repair; `active` is false while it is taken back. */
export type Layer = { act: number; active: boolean; at_ms: number; before: Overlay; after: Overlay };

/** @returns what has to lie over each instant of `layers`, which must hold all repairs of the series at these instants. */
export function overlaysOf(layers: readonly Layer[]): Map<number, Overlay> {
  const lowest = new Map<number, Layer>();
  const highest = new Map<number, Layer>();
  for (const layer of layers) {
    const low = lowest.get(layer.at_ms);
    if (!low || layer.act < low.act) lowest.set(layer.at_ms, layer);
    const high = highest.get(layer.at_ms);
    if (layer.active && (!high || layer.act > high.act)) highest.set(layer.at_ms, layer);
  }
  const overlays = new Map<number, Overlay>();
  for (const [at_ms, low] of lowest) overlays.set(at_ms, highest.get(at_ms)?.after ?? low.before);
  return overlays;
}

/** As the series store takes it. */
export function repairValueOf({ set, value }: Overlay): number | null | undefined {
  return set === 0 ? undefined : set === 2 ? null : value;
}

export function sameOverlay(a: Overlay, b: Overlay): boolean {
  return a.set === b.set && (a.set !== 1 || a.value === b.value);
}
