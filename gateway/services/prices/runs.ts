/** The log of provider runs: in table provider_run, in metrics, and the newest of each source in memory. */
import type { Base } from '../../services.ts';

export type Run = {
  provider: string;
  area: string;
  market: string;
  started_ms: number;
  ended_ms: number;
  from_ms: number;
  to_ms: number;
  rows: number;
  fault: string | null;
};
export type RunState = { last_run_ms: number; last_success_ms: number | null; fault: string | null };

const KEEP_DAYS = 90;

export type RunLog = {
  record(run: Run): Promise<void>;
  of(provider: string, area: string): RunState | undefined;
  /** Reads what earlier processes ran. */
  load(): Promise<void>;
  forget(area: string): Promise<void>;
};

/** A database that is down costs the entry, not the prices. */
export function createRunLog({ db, log, metrics }: Pick<Base, 'db' | 'log' | 'metrics'>): RunLog {
  const states = new Map<string, RunState>();
  const keyOf = (provider: string, area: string) => `${provider} ${area}`;
  let recorded = 0;
  return {
    async record(run) {
      const before = states.get(keyOf(run.provider, run.area));
      states.set(keyOf(run.provider, run.area), {
        last_run_ms: run.started_ms,
        last_success_ms: run.fault === null && run.rows > 0 ? run.ended_ms : (before?.last_success_ms ?? null),
        fault: run.fault,
      });
      const outcome = run.fault !== null ? 'fault' : run.rows > 0 ? 'ok' : 'empty';
      metrics.provider_runs.inc({ provider: run.provider, outcome });
      if (run.fault !== null)
        log.warn({ provider: run.provider, area: run.area, fault: run.fault }, 'provider run failed');
      try {
        await db.asSystem(async (sql) => {
          await sql(
            `insert into provider_run (provider, area, market, started_at, ended_at, from_at, to_at, rows, fault)
             values ($1, $2, $3, to_timestamp($4), to_timestamp($5), to_timestamp($6), to_timestamp($7), $8, $9)`,
            [
              ...[run.provider, run.area, run.market],
              ...[run.started_ms, run.ended_ms, run.from_ms, run.to_ms].map((at_ms) => at_ms / 1000),
              ...[run.rows, run.fault],
            ],
          );
          if (recorded++ % 200 === 0)
            await sql(`delete from provider_run where started_at < to_timestamp($1)`, [
              run.started_ms / 1000 - KEEP_DAYS * 86_400,
            ]);
        });
      } catch (error) {
        log.warn({ err: error }, 'a provider run could not be logged');
      }
    },
    of: (provider, area) => states.get(keyOf(provider, area)),
    async load() {
      const rows = await db.asSystem((sql) =>
        sql<{ provider: string; area: string; last_run: Date; last_success: Date | null; fault: string | null }>(
          `select distinct on (provider, area) provider, area, started_at as last_run, fault,
             max(ended_at) filter (where fault is null and rows > 0) over (partition by provider, area) as last_success
           from provider_run order by provider, area, started_at desc`,
        ),
      );
      for (const row of rows)
        states.set(keyOf(row.provider, row.area), {
          last_run_ms: row.last_run.getTime(),
          last_success_ms: row.last_success?.getTime() ?? null,
          fault: row.fault,
        });
    },
    async forget(area) {
      for (const key of states.keys()) if (key.endsWith(` ${area}`)) states.delete(key);
      await db.asSystem((sql) => sql('delete from provider_run where area = $1', [area]));
    },
  };
}
