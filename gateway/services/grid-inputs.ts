/** Signals of the grid operator that come over MQTT (meters/<device>/grid-limit) or stand in a Modbus register. */
import type { BusRegistry } from '../../connectors/meters/modbus/bus.ts';
import { endpointOf } from '../../connectors/meters/modbus/source.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import type { Device } from '../../engine/model/site.ts';
import type { Base, DeviceService } from '../services.ts';
import type { GridInputs, GridSignalService } from './grid-signals.ts';

export type GridInputDeps = Pick<Base, 'log' | 'clock'> & {
  tenants: () => readonly string[];
  signals: Pick<GridSignalService, 'inputs' | 'signal' | 'end' | 'active' | 'onChange'>;
  device: (tenant: string, id: string) => Device | null;
  report: DeviceService['report'];
  buses: Pick<BusRegistry, 'acquire'>;
  hear: (listener: (tenant: string, topic: string, payload: Buffer) => void) => () => void;
};

const ASK_EVERY_MS = 5000;
const ASK_MS = 4000;
const TOPIC = /^meters\/([^/]+)\/grid-limit$/;

/** `start` begins to listen and to ask; `stop` ends both. */
export function createGridInputs(deps: GridInputDeps): { start(): void; stop(): void; ask(): Promise<void> } {
  const { log, signals } = deps;
  const known = new Map<string, GridInputs>();
  let endings: (() => void)[] = [];
  let asking = false;

  async function inputsOf(tenant: string): Promise<GridInputs> {
    const inputs = known.get(tenant) ?? (await signals.inputs(tenant));
    known.set(tenant, inputs);
    return inputs;
  }

  async function take(tenant: string, device: string, payload: Buffer): Promise<void> {
    if ((await inputsOf(tenant)).mqtt?.device !== device) return;
    try {
      const asked = decodeSignal(payload);
      if (asked === null) await signals.end(tenant, 'mqtt');
      else await signals.signal(tenant, { source: 'mqtt', ...asked });
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      deps.report(tenant, device, { kind: 'failed', text: error.message });
    }
  }

  async function askRegister(tenant: string): Promise<void> {
    const { modbus } = await inputsOf(tenant);
    if (!modbus) return;
    const connection = deps.device(tenant, modbus.device)?.connection;
    if (connection?.kind !== 'modbus-tcp' && connection?.kind !== 'modbus-rtu') return;
    const { bus, release } = deps.buses.acquire(endpointOf(connection));
    try {
      const signal = AbortSignal.timeout(ASK_MS);
      const answer = await bus.read(connection.unit, modbus.function, modbus.register, 1, { signal });
      const set = (answer.readUInt16BE(0) & modbus.mask) !== 0;
      const holds = signals.active(tenant).some(({ source }) => source === 'modbus');
      if (set !== modbus.active_low && !holds)
        await signals.signal(tenant, { source: 'modbus', limit_W: modbus.limit_W });
      else if (set === modbus.active_low && holds) await signals.end(tenant, 'modbus');
    } finally {
      await release();
    }
  }

  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    for (const tenant of deps.tenants())
      await askRegister(tenant).catch((error: unknown) =>
        log.warn({ err: error, tenant_id: tenant }, 'the register of the grid operator could not be read'),
      );
    asking = false;
  }

  return {
    ask,
    start() {
      const timer = setInterval(() => void ask(), ASK_EVERY_MS).unref();
      endings = [
        () => clearInterval(timer),
        signals.onChange((tenant) => known.delete(tenant)),
        deps.hear((tenant, topic, payload) => {
          const device = TOPIC.exec(topic)?.[1];
          if (device === undefined) return;
          take(tenant, device, payload).catch((error: unknown) =>
            log.error({ err: error, tenant_id: tenant }, 'a signal over MQTT could not be taken'),
          );
        }),
      ];
    },
    stop() {
      for (const end of endings.splice(0)) end();
    },
  };
}

/** `4200`, `{"limit_W": 4200, "to": "2026-…Z"}`, or `{"limit_W": null}` and an empty message to take it back. */
export function decodeSignal(payload: Buffer): { limit_W: number; to_ms?: number } | null {
  const text = payload.toString('utf8').trim();
  if (text === '' || payload.length > 1000) return payload.length > 1000 ? refuse('it is too long') : null;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return refuse('it is no JSON');
  }
  if (typeof body === 'number') return { limit_W: body };
  const { limit_W, to } = (body ?? {}) as { limit_W?: unknown; to?: unknown };
  if (body === null || limit_W === null) return null;
  if (typeof limit_W !== 'number') return refuse('limit_W is no number');
  if (to === undefined || to === null) return { limit_W };
  const to_ms = Date.parse(String(to));
  return Number.isNaN(to_ms) ? refuse('`to` is no time') : { limit_W, to_ms };
}

function refuse(reason: string): never {
  throw new InvalidDataError(
    `A signal of the grid operator cannot be read: ${reason}.`,
    'Send {"limit_W": 4200}, with "to" where its end is known, and {"limit_W": null} when it is over.',
  );
}
