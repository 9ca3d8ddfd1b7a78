/** Demand of a whole power system, for the areas whose source tells it: asked when somebody asks, kept for a while. */
import { NotFoundError } from '../../../engine/errors.ts';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { Clock, DemandHour, PriceProvider } from '../../../engine/ports.ts';
import type { RunLog } from './runs.ts';

/** Mean power of each hour, ascending. */
export type Demand = {
  area: string;
  kind: 'actual' | 'forecast';
  source: string;
  fetched_ms: number;
  hours: readonly { at_ms: number; power_MW: number }[];
};

/** Actual demand and forecasts are published once an hour. */
const KEEP_MS = HOUR_MS / 4;
const KEEP_ANSWERS = 32;

type Asked = { area: string; kind: 'actual' | 'forecast'; from_ms: number; to_ms: number };
type Deps = { clock: Clock; runs: Pick<RunLog, 'record'>; providers: () => readonly PriceProvider[] };
type Kept = { until_ms: number; answer: Promise<Demand> };

/** A question that is asked twice within a quarter of an hour, or twice at once, is asked of the source once. */
export function createDemand({ clock, runs, providers }: Deps): (asked: Asked, signal: AbortSignal) => Promise<Demand> {
  const kept = new Map<string, Kept>();

  async function fetch(provider: Source, { area, kind, from_ms, to_ms }: Asked, signal: AbortSignal): Promise<Demand> {
    const started_ms = clock.now();
    let hours: DemandHour[] = [];
    let fault: string | null = null;
    try {
      hours = await provider.fetchDemand({ kind, from_ms, to_ms, signal });
      return { area, kind, source: provider.name, fetched_ms: clock.now(), hours };
    } catch (error) {
      fault = (error as Error).message;
      throw error;
    } finally {
      const run = { provider: provider.name, area: `${area}:demand`, market: `demand-${kind}`, started_ms };
      await runs.record({ ...run, ended_ms: clock.now(), from_ms, to_ms, rows: hours.length, fault });
    }
  }

  return (asked, signal) => {
    const provider = providers().find((one): one is Source => one.serves(asked.area) && one.fetchDemand !== undefined);
    if (!provider)
      throw new NotFoundError(
        `No configured source tells the demand of ${asked.area}.`,
        'ERCOT tells that of Texas: name it in price_sources, with ercot_user, ercot_password and ercot_key.',
      );
    const key = JSON.stringify([provider.name, asked]);
    for (const [name, { until_ms }] of kept) if (until_ms <= clock.now()) kept.delete(name);
    const known = kept.get(key);
    if (known) return known.answer;
    if (kept.size >= KEEP_ANSWERS) kept.delete(kept.keys().next().value!);
    const answer = fetch(provider, asked, signal);
    kept.set(key, { until_ms: clock.now() + KEEP_MS, answer });
    answer.catch(() => kept.delete(key));
    return answer;
  };
}

type Source = PriceProvider & { fetchDemand: NonNullable<PriceProvider['fetchDemand']> };
