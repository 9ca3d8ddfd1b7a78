/**
 * What a polled box owes. A polled meter gets no acknowledgement, so the box is taken at its word: its API tells when the
 * last reading of a meter point was kept (memory learns of it after the journal's fsync), and the meter knows which
 * value it gave last before that moment. That value must be in the store, once; and nothing that no meter ever gave.
 */
import { readStored } from './box.ts';
import { FIRST_W, type Served } from './protocol.ts';

export type PolledMeter = { meter: string; unit: number };
/** By meter: the moments at which the box said that it had kept a reading. */
export type Kept = Map<string, Set<number>>;

/** Asks the box which reading of each meter it kept last. A box that is being killed is asked again later. */
export async function noteKept(url: string, key: string, meters: readonly PolledMeter[], kept: Kept): Promise<void> {
  const answer = await fetch(`${url}/api/v1/meters`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(2000),
  }).catch(() => null);
  const body = answer?.ok ? await answer.json().catch(() => null) : null;
  const points = (body as { meters: { id: string; last: string | null }[] } | null)?.meters ?? [];
  for (const { meter } of meters) {
    const last = points.find(({ id }) => id === meter)?.last;
    if (last) kept.set(meter, (kept.get(meter) ?? new Set()).add(Date.parse(last)));
  }
}

export type PolledOutcome = { acknowledged: number; lost: number; duplicated: number };

/** @throws when the store holds a value that the meter did not give about then */
export async function comparePolled(
  url: string,
  key: string,
  meters: readonly PolledMeter[],
  kept: Kept,
  served: Served,
): Promise<PolledOutcome> {
  const outcome: PolledOutcome = { acknowledged: 0, lost: 0, duplicated: 0 };
  for (const { meter, unit } of meters) {
    const times = served[unit] ?? [];
    const stored = await readStored(url, key, meter, (times[0] ?? 0) - 60_000, Date.now() + 60_000);
    const values = new Set(stored.map(({ value }) => value));
    outcome.duplicated += stored.length - values.size;
    for (const { value, at_ms } of stored) {
      const given_ms = times[value - FIRST_W];
      if (given_ms === undefined || Math.abs(given_ms - at_ms) > 5000)
        throw new Error(`${meter} has ${value} W at ${at_ms}, which it did not give then`);
    }
    const owed = new Set([...(kept.get(meter) ?? [])].map((at) => times.findLastIndex((given) => given <= at)));
    outcome.acknowledged += owed.size;
    for (const index of owed) if (!values.has(FIRST_W + index)) outcome.lost++;
  }
  return outcome;
}
