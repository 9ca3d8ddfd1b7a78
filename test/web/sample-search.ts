/** A search for devices of the sample building: it has found what is there, or is under way. */
import type { Clock } from '../../engine/ports.ts';
import type { FoundDevice, SearchService, SearchState } from '../../gateway/services/discovery-search.ts';

const modbus = (unit: number) => ({ kind: 'modbus-tcp', host: '192.168.1.20', port: 502, unit, poll_s: 10 }) as const;

export const SAMPLE_FOUND: readonly FoundDevice[] = [
  {
    ...{ id: 'f1', vendor: 'Eastron', model: 'SDM630 (Modbus V2, MCT)', serial: '', version: '' },
    ...{ address: '192.168.1.20:502 unit 3', profile: 'eastron-sdm630', connection: modbus(3) },
    ...{ found_by: 'modbus', known: null },
  },
  {
    ...{ id: 'f2', vendor: 'HomeWizard', model: 'P1 meter', serial: '3c39e7aabbcc', version: '4.19' },
    ...{ address: 'http://192.168.1.31', profile: 'homewizard-p1', found_by: 'mdns', known: null },
    connection: { kind: 'http', url: 'http://192.168.1.31', token: null, poll_s: 5 },
  },
  {
    ...{ id: 'f3', vendor: 'Contoso', model: 'Meter 9000', serial: '', version: '1.0' },
    ...{ address: '192.168.1.20:502 unit 12', profile: null, connection: modbus(12) },
    ...{ found_by: 'modbus', known: null },
  },
  {
    ...{ id: 'f4', vendor: 'Fronius', model: 'Symo 10.0-3-M', serial: '12345678', version: '1.2.3' },
    ...{ address: '192.168.1.21:502 unit 1', profile: 'fronius-sunspec', connection: modbus(1) },
    ...{ found_by: 'modbus', known: 'solar-device' },
  },
];

/** One more is found every second or so; it goes on until it is stopped. */
export function sampleSearch(clock: Clock, bus: { publish(event: never): void }): SearchService {
  let state: SearchState | null = null;
  let timer: NodeJS.Timeout | undefined;
  const told = (next: SearchState): SearchState => {
    state = next;
    const { done, total, where: text } = next;
    bus.publish({ type: 'progress', tenant: 'default', task: 'search', done, total, text } as never);
    return next;
  };
  const ended = (how: 'done' | 'stopped') => {
    clearInterval(timer);
    return told({ ...state!, state: how, ended_ms: clock.now() });
  };
  return {
    suggestedRanges: () => ['192.168.1.0/24'],
    async start(_, wish) {
      const where = wish.kind === 'network' ? wish.ranges.join(', ') : 'the bus';
      const begun = {
        id: 's1',
        kind: wish.kind,
        where,
        state: 'running',
        begun_ms: clock.now(),
        ended_ms: null,
      } as const;
      told({ ...begun, done: 0, total: 762, found: [], problem: null, reason: null });
      timer = setInterval(() => {
        const done = Math.min(761, state!.done + 60);
        told({ ...state!, done, found: SAMPLE_FOUND.slice(0, 1 + state!.found.length) });
      }, 1200);
      timer.unref();
      return state!;
    },
    stop: async () => ended('stopped'),
    state: (tenant) => (tenant === 'default' ? state : null),
    found: (tenant, id) => (tenant === 'default' ? (SAMPLE_FOUND.find((each) => each.id === id) ?? null) : null),
    close: async () => clearInterval(timer),
  };
}
