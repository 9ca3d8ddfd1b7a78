/**
 * How far QuestDB has applied its log to a table. What it acknowledges stands in the log first (WAL); rows show once
 * they are applied. A table whose log cannot be applied (full disk, damaged file) is suspended: it goes on taking rows
 * into its log that nobody sees, and that are lost where an operator skips the transaction it stopped at. So a write
 * of ours counts when it is applied, not when it is acknowledged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../../../engine/errors.ts';
import { SuspendedTableError } from '../store.ts';

/** `accepted` and `applied` count transactions; `problem` is what the server says of a suspended table. */
export type WalState = { suspended: boolean; accepted: number; applied: number; problem: string };
export type Wal = {
  /**
   * Waits until all that the server has accepted for `table` so far is applied. A suspended table is asked to go on
   * once: that tries the same transaction again and skips nothing.
   * @returns the number of the newest transaction it knows
   * @throws UnavailableError (SuspendedTableError where it stays suspended)
   */
  settle(table: string): Promise<number>;
  /** As `settle`, for every table of ours. */
  settleAll(): Promise<void>;
  /** @throws SuspendedTableError that names every table of ours that is suspended and stays so. */
  check(): Promise<void>;
  /** The newest transaction that the server has accepted for `table`. */
  accepted(table: string): Promise<number>;
};

type Ask = (sql: string) => Promise<unknown[][]>;
const PAUSE_MS = { first: 4, last: 250 };

/** @param prefix of our tables' names; @param limit_ms how long the server may take to apply what it accepted */
export function createWal(ask: Ask, prefix: string, limit_ms: number): Wal {
  async function states(): Promise<Map<string, WalState>> {
    const rows = await ask(
      `select name, suspended, sequencerTxn, writerTxn, errorTag, errorMessage from wal_tables() where starts_with(name, '${prefix}')`,
    );
    return new Map(
      (rows as [string, boolean, number, number, string, string][]).map(
        ([name, suspended, accepted, applied, tag, message]) => [
          name,
          { suspended, accepted, applied, problem: [tag, message].filter(Boolean).join(' ') },
        ],
      ),
    );
  }
  async function stateOf(table: string): Promise<WalState> {
    const state = (await states()).get(table);
    if (state) return state;
    throw new UnavailableError(
      `QuestDB does not answer: its table ${table} is gone.`,
      'The box makes it anew by itself.',
    );
  }
  async function settle(table: string): Promise<number> {
    const until_ms = performance.now() + limit_ms;
    let target: number | null = null;
    let resumed = false;
    for (let pause_ms = PAUSE_MS.first; ; pause_ms = Math.min(PAUSE_MS.last, pause_ms * 2)) {
      const state = await stateOf(table);
      target ??= state.accepted;
      if (state.suspended && resumed) throw suspended([table], state.problem);
      if (state.suspended) {
        await ask(`alter table ${table} resume wal`);
        resumed = true;
      } else if (state.applied >= target) return state.accepted;
      if (performance.now() > until_ms)
        throw new UnavailableError(
          `QuestDB timed out: what it accepted for ${table} is not applied after ${limit_ms / 1000} s (transaction ${state.applied} of ${target}).`,
          'It may be busy or short of disk; readings stay in the journal meanwhile.',
        );
      await sleep(pause_ms);
    }
  }
  return {
    settle,
    async settleAll() {
      const lagging = [...(await states())].filter(([, state]) => state.suspended || state.applied < state.accepted);
      for (const [table] of lagging) await settle(table);
    },
    async check() {
      const stuck: string[] = [];
      let problem = '';
      for (const [table, state] of await states()) {
        if (!state.suspended) continue;
        const error = await settle(table).then(
          () => null,
          (error: unknown) => error,
        );
        if (error === null) continue;
        if (!(error instanceof SuspendedTableError)) throw error;
        stuck.push(table);
        problem ||= state.problem;
      }
      if (stuck.length > 0) throw suspended(stuck, problem);
    },
    accepted: async (table) => (await stateOf(table)).accepted,
  };
}

function suspended(tables: readonly string[], problem: string): SuspendedTableError {
  const names = tables.join(', ');
  return new SuspendedTableError(
    `QuestDB has suspended ${names}: it cannot apply what it is sent${problem ? ` (${problem})` : ''}.`,
    `Look into QuestDB's log and at its disk. The box tries to go on by itself; by hand: ${tables.map((table) => `ALTER TABLE ${table} RESUME WAL`).join('; ')}. Readings stay in the journal meanwhile.`,
    tables,
  );
}
