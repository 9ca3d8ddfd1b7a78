/** Raises and clears the alerts of the box itself: the series store, the journal's damage and its bound. */
import { countDeadLetters, deadLetterFolder, readDeadLetters } from '../dead-letters.ts';
import type { AlertKind, AlertService, Base, HealthService, SiteService } from '../services.ts';

const EVERY_MS = 5000;
/** A store that is away for less is a restart, not news. */
const PATIENCE_MS = 30_000;
const FULL = 0.95;
const MOST_ALERTS = 10_000;

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
  /** What was last told of each kind, and who knows it: who is made later is told of what is open already. */
  const told = new Map<AlertKind, { state: string; tenants: Set<string> }>();

  async function tellEach(kind: AlertKind, state: string, say: (tenant: string) => Promise<void>): Promise<void> {
    let known = told.get(kind);
    if (known?.state !== state) {
      known = { state, tenants: new Set() };
      told.set(kind, known);
    }
    for (const tenant of site.tenants()) {
      if (known.tenants.has(tenant)) continue;
      await say(tenant);
      known.tenants.add(tenant);
    }
  }

  /** Tells a change only; the first look clears what a former run may have left open. */
  async function tell(
    kind: 'series_store_down' | 'journal_full',
    object: string,
    wrong: boolean,
    since_ms: number,
  ): Promise<void> {
    await tellEach(kind, String(wrong), (tenant) =>
      wrong ? alerts.raise(tenant, kind, object, 'fault', { since_ms }) : alerts.clear(tenant, kind, object),
    );
  }

  /** One alert a file or table that is named; those that are named no more are over. */
  async function tellNamed(
    kind: 'journal_quarantine' | 'series_table_suspended',
    names: readonly string[],
    since_ms: number,
  ): Promise<void> {
    await tellEach(kind, names.join(), async (tenant) => {
      for (const open of await alerts.list(tenant, { open_only: true, limit: MOST_ALERTS }))
        if (open.kind === kind && !names.includes(open.object)) await alerts.clear(tenant, kind, open.object);
      for (const name of names) await alerts.raise(tenant, kind, name, 'fault', { since_ms });
    });
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
    // Only who answered is well: one that is down since before the start is not, however short the box has looked.
    const down = downSince_ms !== null && now - downSince_ms > PATIENCE_MS;
    if (up || down) await tell('series_store_down', 'series store', down, downSince_ms ?? now);
    await tell('journal_full', 'journal', bytes > FULL * config.journal_max_bytes, now);
    await tellNamed('journal_quarantine', quarantined, now);
    // A table that is suspended mends itself rarely, so it is told at once.
    const tables = suspended?.() ?? [];
    if (suspended && (up || tables.length > 0)) await tellNamed('series_table_suspended', tables, downSince_ms ?? now);
    await tellDeadLetters(now);
    await health.look();
  }

  let closed = false;
  const again = async () => {
    await look().catch((error: unknown) => log.warn({ err: error }, 'the stores could not be watched'));
    if (!closed) timer = setTimeout(again, EVERY_MS);
  };
  return {
    start() {
      closed = false;
      timer = setTimeout(again, EVERY_MS);
    },
    close() {
      closed = true;
      if (timer) clearTimeout(timer);
    },
  };
}
