/** Validates what the connectors decoded, makes it durable in the journal, then tells memory, metrics and waiting pages. */

import type { ReadingGroup } from '../../engine/model/reading.ts';
import type { Clock, EventBus, Intake, IntakeOutcome, Journal } from '../../engine/ports.ts';
import type { MeterCheck } from '../../engine/quality/validate.ts';
import { validateReadings } from '../../engine/quality/validate.ts';
import type { Metrics } from '../metrics.ts';
import type { MeterService } from '../services.ts';
import { traced } from '../tracing.ts';
import type { LiveMemory } from './live.ts';
import type { ReadingCounts } from './reading-counts.ts';

export type IntakeDeps = {
  clock: Clock;
  bus: EventBus;
  metrics: Metrics;
  journal: Pick<Journal, 'append'>;
  meters: Pick<MeterService, 'list' | 'onChange'>;
  live: LiveMemory;
  /** The books of readings; left out where nobody reads them. */
  books?: Pick<ReadingCounts, 'accepted' | 'rejected'>;
};
/** The intake, and what ends its timers. */
export type IntakeService = { intake: Intake; close(): void };

/** Waiting pages are told at most this often per tenant. */
const TELL_EVERY_MS = 250;
const COUNT_EVERY_MS = 1000;
const ONE_ACCEPTED: IntakeOutcome = { accepted: 1, flagged: 0, rejected: [] };

/**
 * @returns the intake. It resolves once the readings are in the journal (fsync); it rejects with UnavailableError
 * when they cannot be kept now. A group of which nothing can be kept resolves with all of it in `rejected`.
 */
export function createIntake(deps: IntakeDeps): IntakeService {
  const { clock, journal, live, books } = deps;
  const known = createMeterCheck(deps.meters);
  const teller = createTeller(deps.bus);
  const counts = createCounts(deps.metrics);
  const intake: Intake = (group) =>
    traced('reading.intake', { source: group.source, readings: group.readings.length }, () => take(group));
  const take: Intake = async (group) => {
    const begun = performance.now();
    const { kept, flagged, rejected } = validateReadings(group.readings, clock.now(), known.of(group), {
      live: group.source === 'mqtt',
    });
    if (kept.length > 0) {
      const seq = await traced('journal.append', {}, () =>
        journal.append([kept === group.readings ? group : { ...group, readings: kept }]),
      );
      books?.accepted(group.source, kept.length, seq);
      live.record(group, kept);
      teller.tell(group.tenant, kept);
    }
    if (rejected.length > 0) books?.rejected(group.source, rejected.length);
    counts.add(group, kept.length - flagged, flagged, rejected.length, (performance.now() - begun) / 1000);
    if (kept.length === 1 && flagged === 0 && rejected.length === 0) return ONE_ACCEPTED;
    return { accepted: kept.length - flagged, flagged, rejected };
  };
  return {
    intake,
    close() {
      teller.close();
      counts.close();
      known.close();
    },
  };
}

/** Which meter points a sender may write: a device its own, everybody else those that exist and are measured. */
function createMeterCheck(meters: IntakeDeps['meters']): { of(group: ReadingGroup): MeterCheck; close(): void } {
  const checks = new Map<string, MeterCheck>();
  const stop = meters.onChange(() => checks.clear());
  function make(tenant: string, device: string | null): MeterCheck {
    const points = new Map(meters.list(tenant).map((point) => [point.id, point]));
    return (id) => {
      const point = points.get(id);
      if (!point) return `There is no meter point "${id}"; add it under Meters first.`;
      if (point.virtual) return `The meter point "${id}" is computed from others and takes no readings.`;
      if (device !== null && point.device !== device)
        return `The meter point "${id}" is not one of the device ${device}.`;
      return null;
    };
  }
  return {
    of({ tenant, device }) {
      const key = device === null ? tenant : `${tenant}\n${device}`;
      const known = checks.get(key);
      if (known) return known;
      const check = make(tenant, device);
      checks.set(key, check);
      return check;
    },
    close: stop,
  };
}

/** Gathers the meter points that have news and says so once per tenant and interval. */
function createTeller(bus: EventBus): {
  tell(tenant: string, readings: ReadingGroup['readings']): void;
  close(): void;
} {
  const news = new Map<string, { meters: Set<string>; timer: NodeJS.Timeout }>();
  function publish(tenant: string): void {
    const meters = [...(news.get(tenant)?.meters ?? [])];
    news.delete(tenant);
    bus.publish({ type: 'readings', tenant, meters });
  }
  return {
    tell(tenant, readings) {
      let waiting = news.get(tenant);
      if (!waiting) {
        const timer = setTimeout(publish, TELL_EVERY_MS, tenant);
        timer.unref();
        waiting = { meters: new Set(), timer };
        news.set(tenant, waiting);
      }
      for (const { meter } of readings) waiting.meters.add(meter);
    },
    close() {
      for (const { timer } of news.values()) clearTimeout(timer);
      news.clear();
    },
  };
}

type Counts = { tenant: string; source: string; accepted: number; flagged: number; rejected: number };

/** Counts in plain numbers and hands them to the metrics once a second: labels cost more than a reading. */
function createCounts(metrics: Metrics) {
  const bySource = new Map<string, Map<string, Counts>>();
  const latency = new Map<string, { observe(seconds: number): void }>();
  function flush(): void {
    for (const tenants of bySource.values())
      for (const count of tenants.values()) {
        for (const outcome of ['accepted', 'flagged', 'rejected'] as const) {
          if (count[outcome] > 0)
            metrics.readings.inc({ tenant: count.tenant, source: count.source, outcome }, count[outcome]);
          count[outcome] = 0;
        }
      }
  }
  function of(tenant: string, source: string): Counts {
    const tenants = bySource.get(source) ?? new Map<string, Counts>();
    bySource.set(source, tenants);
    const count = tenants.get(tenant) ?? { tenant, source, accepted: 0, flagged: 0, rejected: 0 };
    tenants.set(tenant, count);
    return count;
  }
  const timer = setInterval(flush, COUNT_EVERY_MS);
  timer.unref();
  return {
    add({ tenant, source }: ReadingGroup, accepted: number, flagged: number, rejected: number, seconds: number): void {
      const count = of(tenant, source);
      count.accepted += accepted;
      count.flagged += flagged;
      count.rejected += rejected;
      const histogram = latency.get(source) ?? metrics.ingest_s.labels(source);
      latency.set(source, histogram);
      histogram.observe(seconds);
    },
    close(): void {
      clearInterval(timer);
      flush();
    },
  };
}
