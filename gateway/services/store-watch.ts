/** Raises and clears the alerts of the box itself: the series store, the journal's damage and its bound. */
import { countDeadLetters, deadLetterFolder, readDeadLetters } from '../dead-letters.ts';
import type { AlertService, Base, HealthService, SiteService } from '../services.ts';

const EVERY_MS = 5000;
/** A store that is away for less is a restart, not news. */
const PATIENCE_MS = 30_000;
const FULL = 0.95;

type Deps = Pick<Base, 'config' | 'clock' | 'log' | 'series' | 'journal'> & {
  site: SiteService;
  alerts: AlertService;
  health: Pick<HealthService, 'look'>;
  /** Tables of the series store that take rows and do not show them. */
  suspended?: () => readonly string[];
};

/** Alerts are raised for every tenant: each of them depends on these parts. */
export function createStoreWatch({ config, clock, log, series, journal, site, alerts, health, suspended }: Deps): {
  start(): void;
  close(): void;
} {
  let timer: NodeJS.Timeout | null = null;
  let downSince_ms: number | null = null;
  const dead = deadLetterFolder(config.home);
  let knownDead = -1;
  const said = new Map<string, boolean>();
  let saidSuspended: string | null = null;
  let saidQuarantined: string | null = null;

  /** Tells a change only; the first look clears what a former run may have left open. */
  async function tell(
    kind: 'series_store_down' | 'journal_full',
    object: string,
    wrong: boolean,
    since_ms: number,
  ): Promise<void> {
    if (said.get(kind) === wrong) return;
    for (const tenant of site.tenants())
      await (wrong ? alerts.raise(tenant, kind, object, 'fault', { since_ms }) : alerts.clear(tenant, kind, object));
    said.set(kind, wrong);
  }

  /** One alert a file that was set aside; files that are gone since a former look are no news any more. */
  async function tellQuarantined(names: readonly string[], since_ms: number): Promise<void> {
    if (saidQuarantined === names.join()) return;
    for (const tenant of site.tenants()) {
      for (const { kind, object } of await alerts.list(tenant, { open_only: true }))
        if (kind === 'journal_quarantine' && !names.includes(object)) await alerts.clear(tenant, kind, object);
      for (const name of names) await alerts.raise(tenant, 'journal_quarantine', name, 'fault', { since_ms });
    }
    saidQuarantined = names.join();
  }

  /** At once: such a table mends itself rarely. */
  async function tellSuspended(tables: readonly string[], since_ms: number): Promise<void> {
    if (saidSuspended === tables.join()) return;
    for (const tenant of site.tenants()) {
      for (const { kind, object } of await alerts.list(tenant, { open_only: true }))
        if (kind === 'series_table_suspended' && !tables.includes(object)) await alerts.clear(tenant, kind, object);
      for (const table of tables) await alerts.raise(tenant, 'series_table_suspended', table, 'fault', { since_ms });
    }
    saidSuspended = tables.join();
  }

  /** One alert an organisation, as long as anything of it is put aside. */
  async function tellDeadLetters(now_ms: number): Promise<void> {
    const count = await countDeadLetters(dead);
    if (count === knownDead) return;
    const letters = await readDeadLetters(dead);
    for (const tenant of site.tenants()) {
      const own = letters.filter(({ group }) => group.tenant === tenant);
      const [first] = own;
      const name = `${own.reduce((sum, { group }) => sum + group.readings.length, 0)}`;
      if (!first) await alerts.clear(tenant, 'dead_letters', 'series store');
      else
        await alerts.raise(tenant, 'dead_letters', 'series store', 'fault', {
          ...{ since_ms: now_ms, name, problem: first.reason },
        });
    }
    knownDead = count;
  }

  async function look(): Promise<void> {
    const now = clock.now();
    const up = await series.ping().then(
      () => true,
      () => false,
    );
    downSince_ms = up ? null : (downSince_ms ?? now);
    const { bytes, quarantined } = journal.stats();
    await tell(
      'series_store_down',
      'series store',
      downSince_ms !== null && now - downSince_ms > PATIENCE_MS,
      downSince_ms ?? now,
    );
    await tell('journal_full', 'journal', bytes > FULL * config.journal_max_bytes, now);
    await tellQuarantined(quarantined, now);
    if (suspended) await tellSuspended(suspended(), downSince_ms ?? now);
    await tellDeadLetters(now);
    await health.look();
  }

  const again = async () => {
    await look().catch((error: unknown) => log.warn({ err: error }, 'the stores could not be watched'));
    timer = setTimeout(again, EVERY_MS);
  };
  return {
    start() {
      timer = setTimeout(again, EVERY_MS);
    },
    close() {
      if (timer) clearTimeout(timer);
    },
  };
}
