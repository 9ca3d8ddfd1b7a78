/**
 * The box's services over the sample building, in memory and deterministic: for tests and to look at pages. What pages
 * do not use is missing and says so when touched.
 */
import { pino } from 'pino';
import type { EventBus, LunaEvent } from '../../engine/ports.ts';
import { ConfigSchema } from '../../gateway/config.ts';
import { createMetrics } from '../../gateway/metrics.ts';
import type { Actor, Services } from '../../gateway/services.ts';
import { simpleTariffs } from '../setup/simple-tariffs.ts';
import { sampleAdmin } from './sample-admin.ts';
import { sampleAlerts } from './sample-alerts.ts';
import { sampleAnswers, sampleRetrieval } from './sample-answers.ts';
import { sampleBackups } from './sample-backups.ts';
import { sampleBills } from './sample-bills.ts';
import { sampleData } from './sample-data.ts';
import { sampleDocumentServices } from './sample-documents.ts';
import { sampleIntelligence } from './sample-intelligence.ts';
import { sampleLoads } from './sample-loads.ts';
import { sampleMeters } from './sample-meters.ts';
import { sampleModels } from './sample-models.ts';
import { samplePlans } from './sample-plan.ts';
import { sampleSearch } from './sample-search.ts';
import { ENERGY_PRICE, SAMPLE_NOW_MS, SITE, TENANT } from './sample-site.ts';

export type SampleOptions = {
  /** The box's clock; a fixed instant where not given. */
  now?: () => number;
  /** Replaces parts, e.g. to be without meters or prices. */
  replace?: Partial<Services>;
};

export const ADMIN: Actor = { tenant: TENANT, person: 'anna', role: 'admin', language: 'en' };

/** Creates the services. */
export function createSampleServices(options: SampleOptions = {}): Services {
  const clock = { now: options.now ?? (() => SAMPLE_NOW_MS) };
  const bus = createSampleBus();
  const present: Partial<Services> = {
    config: ConfigSchema.parse({ home: '/nonexistent' }),
    clock,
    log: pino({ level: 'silent' }),
    metrics: createMetrics({ defaults: false }),
    bus,
    watch: {
      report: () => ({ trusted: true, reason: null, since_ms: null, believed_ms: clock.now(), wall_ms: clock.now() }),
    } as Services['watch'],
    site: {
      get: (tenant) => (tenant === TENANT ? SITE : null),
      save: async () => {},
      remove: async () => {},
      tenants: () => [TENANT],
      onChange: () => {},
    },
    tariffs: simpleTariffs((tenant) => (tenant === TENANT ? { ...SITE, energy_price: ENERGY_PRICE } : null)),
    bills: sampleBills(clock),
    ...sampleMeters(clock),
    ...sampleData(clock),
    ...sampleIntelligence(clock),
    ...sampleModels(clock),
    ...sampleAlerts(clock),
    ...sampleBackups(),
    ...sampleAdmin(clock),
    ...sampleDocumentServices(clock),
    answers: sampleAnswers(clock),
    retrieval: sampleRetrieval(clock),
    ...samplePlans(clock),
    loads: sampleLoads({ bus, clock }),
    search: sampleSearch(clock, bus),
    ...options.replace,
  };
  return new Proxy(present as Services, {
    get(target, name, receiver) {
      if (name in target || typeof name === 'symbol') return Reflect.get(target, name, receiver);
      throw new Error(`the sample services have no ${name}`);
    },
  });
}

function createSampleBus(): EventBus {
  const listeners = new Set<(event: LunaEvent) => void>();
  return {
    publish: (event) => {
      for (const listener of listeners) listener(event);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {},
  };
}
