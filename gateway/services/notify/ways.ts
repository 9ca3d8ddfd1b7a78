/** The ways of messages out of the box, behind the guard that lets out only to allowed addresses. */
import { once } from 'node:events';
import { connect as openSocket } from 'node:net';
import { UnavailableError } from '../../../engine/errors.ts';
import type { Clock } from '../../../engine/ports.ts';
import type { Outbound } from '../../outbound.ts';
import type { WaysOut } from './channel.ts';

export type WaysOutDeps = {
  outbound: Pick<Outbound, 'fetch' | 'addressOf'>;
  clock: Clock;
  /** At the box's own broker; undefined while it does not run. */
  publish: (tenant: string, topic: string, payload: string, retain: boolean) => Promise<void> | undefined;
};

export function createWaysOut({ outbound, clock, publish }: WaysOutDeps): WaysOut {
  return {
    clock,
    async connect(host, port, signal) {
      // What was looked up and allowed is what is connected to.
      const socket = openSocket({ host: await outbound.addressOf(host, port), port });
      try {
        await once(socket, 'connect', { signal });
      } catch (error) {
        socket.destroy();
        throw error;
      }
      // Its next owner listens for faults; one in between must not end the process.
      socket.on('error', () => {});
      return socket;
    },
    fetch: async (url, init) => outbound.fetch(url, init),
    async publish(tenant, topic, payload, retain) {
      const publishing = publish(tenant, topic, payload, retain);
      if (!publishing) throw new UnavailableError('The broker of this box does not run.', 'It starts with the box.');
      await publishing;
    },
  };
}
