/** Once a day: what is older than the configuration keeps leaves the series store. */
import type { Base } from '../services.ts';

const DAY_MS = 86_400_000;
/** Not at start, when everything else happens. */
const FIRST_MS = 10 * 60_000;

type Deps = Pick<Base, 'config' | 'clock' | 'log' | 'series'> & {
  /** Whether the clock is: what a false one makes old must not be removed. */
  trusted(): boolean;
  first_ms?: number;
};

export function createRetention({ config, clock, log, series, trusted, first_ms = FIRST_MS }: Deps): {
  start(): void;
  close(): void;
} {
  let timer: NodeJS.Timeout | null = null;
  const before = (days: number | null) => (days === null ? null : clock.now() - days * DAY_MS);
  const prune = async () => {
    if (!trusted()) {
      timer = setTimeout(prune, first_ms);
      return;
    }
    try {
      await series.prune({
        readings_before_ms: before(config.keep_readings_days),
        slots_before_ms: before(config.keep_slots_days),
        prices_before_ms: before(config.keep_prices_days),
        forecasts_before_ms: before(config.keep_forecasts_days),
      });
    } catch (error) {
      log.warn({ err: error }, 'old data could not be removed; the next try is tomorrow');
    }
    timer = setTimeout(prune, DAY_MS);
  };
  return {
    start() {
      timer = setTimeout(prune, first_ms);
    },
    close() {
      if (timer) clearTimeout(timer);
    },
  };
}
