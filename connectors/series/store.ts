/** What a series store offers beyond the port, to the worker that drains the journal into it. */
import { UnavailableError } from '../../engine/errors.ts';
import type { JournalledGroup } from '../../engine/model/reading.ts';
import type {
  ReadingColumns,
  ReadingTable,
  SeriesRange,
  SeriesStore,
  SlotColumns,
  SlotTable,
  Span,
  TotalsQuery,
  TouchedSeries,
} from '../../engine/ports.ts';
import type { AppliedCounts } from './counts.ts';

/** New slots and spans of one series inside a range. */
export type SlotReplacement = {
  tenant: string;
  range: SeriesRange;
  slots: SlotColumns;
  spans: readonly Span[];
};

/** Totals as columns: `values`, `quality` and `slots` hold meters × periods, row by row; NaN where there is no data. */
export type TotalsColumns = {
  meters: readonly string[];
  values: Float64Array;
  quality: Int32Array;
  slots: Int32Array;
};

export type DrainedSlots = SlotTable & {
  /** `replace` of many series at once, in one transaction where the store has them. */
  replaceMany(replacements: readonly SlotReplacement[]): Promise<void>;
  /** `totals` without an object per row. */
  totalsColumns(tenant: string, query: TotalsQuery): Promise<TotalsColumns>;
};

/** Marks of series whose slots are older than their readings. They survive a crash: `append` and `repair` set them
 * together with the data, `done` lifts them after the slots were written. */
export type DirtyMarks = {
  list(): Promise<TouchedSeries[]>;
  /** Lifts the marks of these series. Nothing may be appended between the `list` or outcome they came from and this. */
  done(series: readonly TouchedSeries[]): Promise<void>;
};

export type SeriesName = Pick<TouchedSeries, 'tenant' | 'meter' | 'quantity'>;
export type DrainedReadings = ReadingTable & {
  /** Readings of many series in one question, repairs laid over them, in the order of `series`. */
  readMany(series: readonly SeriesName[], from_ms: number, to_ms: number): Promise<ReadingColumns[]>;
  /** Journal records that were applied more than once since the journal began, counted in the transactions that applied
   * them; null where the store cannot count. More than 0 is a fault of ours. */
  doubled(): Promise<number | null>;
  /** What became of all readings up to the cursor, since the store began to count: exact after a kill at any moment. */
  counts(): Promise<AppliedCounts>;
  /** Moves the cursor past a group that `append` refuses and counts its readings as dead, in one step. */
  skip(group: JournalledGroup): Promise<void>;
};

export type DrainedSeries = SeriesStore & {
  readonly readings: DrainedReadings;
  readonly slots: DrainedSlots;
  readonly dirty: DirtyMarks;
  /** Which series have readings. */
  list(tenant: string): Promise<readonly { meter: string; quantity: string }[]>;
  /** Sets the cursor back when the journal was lost and counts from a lower number again. */
  rewind(seq: number): Promise<void>;
  /** What opening had to give up (a damaged file set aside), in words; null when all was well. */
  readonly recovery: string | null;
  /** How the server's settings endanger what is stored, in words; null or left out where they do not. */
  readonly warning?: string | null;
};

/** Tables that take rows and do not show them: only an operator can mend that. */
export class SuspendedTableError extends UnavailableError {
  readonly tables: readonly string[];
  constructor(message: string, remedy: string, tables: readonly string[]) {
    super(message, remedy);
    // Whoever only knows kinds of failure takes it for what it is.
    this.name = 'UnavailableError';
    this.tables = tables;
  }
}

/** The rows of a port's `totals` from its columns; periods without data are left out. */
export function totalsRows(columns: TotalsColumns, periods: number) {
  const rows = [];
  for (const [index, meter] of columns.meters.entries())
    for (let period = 0; period < periods; period++) {
      const at = index * periods + period;
      const value = columns.values[at] ?? Number.NaN;
      const quality = columns.quality[at] ?? 0;
      const slots = columns.slots[at] ?? 0;
      if (slots === 0 && quality === 0 && Number.isNaN(value)) continue;
      rows.push({ meter, period, value: Number.isNaN(value) ? null : value, quality, slots });
    }
  return rows;
}
