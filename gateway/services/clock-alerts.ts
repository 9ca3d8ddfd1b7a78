/** Raises and clears the alert about the clock of the box, for every organisation. */
import type { AlertService, Base, SiteService } from '../services.ts';
import type { ClockWatch } from './clock-watch.ts';

const EVERY_MS = 5000;
const OBJECT = 'clock';

type Deps = Pick<Base, 'log'> & {
  watch: Pick<ClockWatch, 'report' | 'onChange'>;
  site: Pick<SiteService, 'tenants'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  every_ms?: number;
};

export function createClockAlerts({ log, watch, site, alerts, every_ms = EVERY_MS }: Deps): {
  start(): void;
  close(): void;
} {
  /** Who knows the present state; what could not be told is told again. */
  const told = new Map<string, boolean>();
  let timer: NodeJS.Timeout | null = null;
  let stop = () => {};
  let telling: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const { trusted, reason, since_ms } = watch.report();
    for (const tenant of site.tenants()) {
      if (told.get(tenant) === trusted) continue;
      if (trusted) await alerts.clear(tenant, 'clock_wrong', OBJECT);
      else await alerts.raise(tenant, 'clock_wrong', OBJECT, 'fault', { since_ms, reason });
      told.set(tenant, trusted);
    }
  }
  const lookAgain = () => {
    telling = telling
      .then(look)
      .catch((error: unknown) => log.warn({ err: error }, 'the clock could not be told about'));
  };
  return {
    start() {
      lookAgain();
      stop = watch.onChange(lookAgain);
      timer = setInterval(lookAgain, every_ms);
      timer.unref();
    },
    close() {
      stop();
      if (timer) clearInterval(timer);
    },
  };
}

/** What the clock is, in a sentence; throws one where it is not trusted. */
export function clockState(watch: Pick<ClockWatch, 'report'>, held: number): string {
  const { trusted, reason, believed_ms, wall_ms } = watch.report();
  const aside = held === 0 ? '' : ` ${held} readings of an earlier start are set aside: ./luna clock lists them.`;
  const iso = (at_ms: number) => new Date(at_ms).toISOString().slice(0, 19).replace('T', ' ');
  if (trusted && held === 0) return 'The clock is trusted.';
  if (trusted) throw new Error(`The clock is trusted.${aside}`);
  throw new Error(
    `The clock shows ${iso(wall_ms)} UTC, which is not believed (${WORDS[reason ?? 'jump']}). Readings without a time of ` +
      `their own wait; the box goes on with ${iso(believed_ms)} UTC. Set the clock, or say that it is right: ` +
      `./luna clock believe.${aside}`,
  );
}

const WORDS = {
  behind: 'it is before what is stored already',
  away: 'the box would have been away for very long',
  unset: 'this machine has no clock that goes on while it is off',
  jump: 'it jumped',
  contradicted: 'devices or providers agree on another time',
} as const;
