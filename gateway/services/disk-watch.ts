/** Raises and clears the alerts about space on the disk of the box, before and when it is full. */
import { statfs } from 'node:fs/promises';
import type { AlertService, Base, SiteService } from '../services.ts';

const EVERY_MS = 5000;
/** An alert is cleared only when so much more is free, so that it does not come and go at the bound. */
const WELL_ABOVE = 1.1;
const OBJECT = 'disk';

/** Bytes that an unprivileged process may still write at `folder`. */
export type FreeBytes = (folder: string) => Promise<number>;
const freeOf: FreeBytes = async (folder) => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

type Deps = Pick<Base, 'clock' | 'log'> & {
  config: Pick<Base['config'], 'home' | 'disk_low_bytes' | 'disk_full_bytes'>;
  site: Pick<SiteService, 'tenants'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  freeBytes?: FreeBytes;
  every_ms?: number;
};
type Level = 'ok' | 'low' | 'full';

/** Alerts are raised for every tenant: the disk is everybody's. What could not be written is tried again each time. */
export function createDiskWatch(deps: Deps): { start(): void; close(): void } {
  const { config, clock, log, site, alerts, freeBytes = freeOf, every_ms = EVERY_MS } = deps;
  let timer: NodeJS.Timeout | null = null;
  let level: Level | null = null;
  let since_ms = 0;
  /** Tenants that know the present level. */
  let told = new Set<string>();

  async function look(): Promise<void> {
    const free_bytes = await freeBytes(config.home);
    const now = levelOf(free_bytes, level ?? 'ok', config);
    if (now !== level) {
      since_ms = clock.now();
      level = now;
      told = new Set();
    }
    for (const tenant of site.tenants()) {
      if (told.has(tenant)) continue;
      for (const [kind, wrong, severity] of [
        ['disk_full', now === 'full', 'fault'],
        ['disk_low', now === 'low', 'warning'],
      ] as const)
        await (wrong
          ? alerts.raise(tenant, kind, OBJECT, severity, { since_ms, free_bytes })
          : alerts.clear(tenant, kind, OBJECT));
      told.add(tenant);
    }
  }

  let closed = false;
  const again = async () => {
    await look().catch((error: unknown) => log.warn({ err: error }, 'the disk could not be watched'));
    if (!closed) timer = setTimeout(again, every_ms);
  };
  return {
    start() {
      closed = false;
      timer = setTimeout(again, 0);
    },
    close() {
      closed = true;
      if (timer) clearTimeout(timer);
    },
  };
}

function levelOf(free: number, before: Level, { disk_low_bytes: low, disk_full_bytes: full }: Deps['config']): Level {
  if (free < full || (before === 'full' && free < full * WELL_ABOVE)) return 'full';
  return free < low || (before !== 'ok' && free < low * WELL_ABOVE) ? 'low' : 'ok';
}
