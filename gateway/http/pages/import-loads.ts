/** Loads that people started in the browser: they go on while nobody looks, and their outcome waits for an hour. */
import { randomUUID } from 'node:crypto';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { LoadView } from '../../../web/pages/import.ts';
import type { Actor, LoadMapping, LoadReport, Services } from '../../services.ts';
import { describeError } from '../api.ts';

type Running = { tenant: string; begun_ms: number; view: LoadView };

export function createLoads({ loads, bus, clock, log }: Pick<Services, 'loads' | 'bus' | 'clock' | 'log'>) {
  const known = new Map<string, Running>();

  /** Whoever waits is told that the outcome is there. */
  const finish = (id: string, entry: Running, state: LoadView['state']) => {
    entry.view = { ...entry.view, state };
    bus.publish({ type: 'progress', tenant: entry.tenant, task: `load:${id}`, done: 1, total: 1, text: '' });
  };
  const forgetOld = () => {
    for (const [id, { begun_ms, view }] of known)
      if (view.state.kind !== 'running' && clock.now() - begun_ms > HOUR_MS) known.delete(id);
  };

  return {
    /** @returns the id of the load, at once. `done` runs when it has ended in either way. */
    start(
      actor: Actor,
      file: { name: string; path: string; size: number },
      mapping: LoadMapping,
      done: () => Promise<void>,
    ): string {
      forgetOld();
      const id = randomUUID();
      const view: LoadView = {
        id,
        file_name: file.name,
        state: { kind: 'running', done: 0, total: file.size, text: '' },
      };
      const entry: Running = { tenant: actor.tenant, begun_ms: clock.now(), view };
      known.set(id, entry);
      const stop = bus.subscribe((event) => {
        if (event.type !== 'progress' || event.task !== `load:${id}` || entry.view.state.kind !== 'running') return;
        const { done: read, total, text } = event;
        entry.view = { ...entry.view, state: { kind: 'running', done: read, total, text } };
      });
      const work = loads.load(actor, { name: file.name, path: file.path }, mapping, { id });
      work
        .then(
          (report) => finish(id, entry, reportState(report)),
          (error: unknown) => {
            log.warn({ err: error, load: id }, 'a load ended early');
            finish(id, entry, { kind: 'failed', problem: describeError(error).detail });
          },
        )
        .finally(stop)
        .then(done)
        .catch((error: unknown) => log.warn({ err: error, load: id }, 'a loaded file could not be removed'));
      return id;
    },
    /** What is known of a load of the tenant. */
    of(tenant: string, id: string): LoadView | null {
      const entry = known.get(id);
      return entry && entry.tenant === tenant ? entry.view : null;
    },
  };
}

function reportState(report: LoadReport): LoadView['state'] {
  const { lines, accepted, flagged, rejected, faults, unchanged } = report;
  return { kind: 'done', lines, accepted, flagged, rejected, faults, unchanged };
}
