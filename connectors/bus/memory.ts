/** The event bus of one process: synchronous, in order, nothing kept. */
import type { Logger } from 'pino';
import type { EventBus, LunaEvent } from '../../engine/ports.ts';

/** Events published after `close` go nowhere. */
export function createMemoryBus({ log }: { log: Logger }): EventBus {
  const listeners = new Set<{ call: (event: LunaEvent) => void }>();
  return {
    publish(event) {
      for (const listener of [...listeners])
        try {
          listener.call(event);
        } catch (error) {
          log.error({ err: error, event: event.type }, 'a subscriber failed');
        }
    },
    subscribe(call) {
      // An object of its own, so that a function that subscribes twice can leave twice.
      const listener = { call };
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
    },
  };
}
