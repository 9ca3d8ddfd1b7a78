/**
 * Who gets a message although away: the filters of durable sessions, found by topic. The store's own index forgets a
 * wide filter when the same client adds a narrow one with another QoS.
 */
import type { StoredSubscription } from 'aedes-persistence-level';
import { topicMatches } from '../../connectors/meters/profile/topics.ts';

type Filters = Map<string, StoredSubscription['qos']>;
export type DurableFilters = {
  add(client_id: string, subscriptions: readonly StoredSubscription[]): void;
  remove(client_id: string, filters: readonly string[]): void;
  /** Clients with a matching filter of QoS 1 or 2, each once with the highest. */
  matching(topic: string): StoredSubscription[];
};

/** Filters whose first two levels are literal are found by them, the few others by trying each. */
export function createDurableFilters(): DurableFilters {
  const byBegin = new Map<string, Map<string, Filters>>();
  const wide = new Map<string, Filters>();
  const placeOf = (filter: string): Map<string, Filters> => {
    const levels = filter.split('/', 2);
    if (levels.some((level) => level === '+' || level === '#')) return wide;
    const begin = levels.join('/');
    const known = byBegin.get(begin) ?? new Map<string, Filters>();
    byBegin.set(begin, known);
    return known;
  };
  return {
    add(client_id, subscriptions) {
      for (const { topic, qos } of subscriptions) {
        const place = placeOf(topic);
        const filters = place.get(client_id) ?? new Map();
        place.set(client_id, filters.set(topic, qos));
      }
    },
    remove(client_id, filters) {
      for (const filter of filters) {
        const place = placeOf(filter);
        const known = place.get(client_id);
        known?.delete(filter);
        if (known?.size === 0) place.delete(client_id);
        if (place !== wide && place.size === 0) byBegin.delete(filter.split('/', 2).join('/'));
      }
    },
    matching(topic) {
      const found = new Map<string, StoredSubscription>();
      for (const place of [byBegin.get(topic.split('/', 2).join('/')), wide])
        for (const [clientId, filters] of place ?? [])
          for (const [filter, qos] of filters)
            if (qos > (found.get(clientId)?.qos ?? 0) && topicMatches(filter, topic))
              found.set(clientId, { clientId, topic: filter, qos });
      return [...found.values()];
    },
  };
}
