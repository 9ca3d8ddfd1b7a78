import type { QualityFlags } from './quality.ts';

/** One value of one quantity of one meter point, as it enters the journal. */
export type Reading = {
  meter: string;
  quantity: string;
  /** Instant of measurement; for an interval quantity its end. */
  at_ms: number;
  /** Start of the interval, for interval quantities only. */
  from_ms?: number;
  /** In the quantity's unit; readings without a value are not made (missing is the absence of a reading). */
  value: number;
  /** Marks set at the boundary (OUT_OF_RANGE, CLOCK); slots add theirs. */
  quality: QualityFlags;
};

/** What one acknowledged message or poll brought, the unit of the journal. */
export type ReadingGroup = {
  tenant: string;
  /** Where it came from: `mqtt`, `http`, `modbus`, `import`, … */
  source: string;
  /** The device whose credential sent it, or the poller's device; null for imports. */
  device: string | null;
  received_ms: number;
  readings: Reading[];
  /** Names the message (client, packet id, payload) whose time of arrival a redelivery keeps; not stored in series. */
  delivery?: number;
};

/** A group with its place in the journal. Sequence numbers grow by one a record and are never reused. */
export type JournalledGroup = ReadingGroup & { seq: number };
