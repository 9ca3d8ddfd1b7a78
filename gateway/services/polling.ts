/** Keeps one poller for each device that is asked over Modbus or HTTP, in step with the devices; and the discovery. */
import { type PollLoop, startPollLoop } from '../../connectors/meters/poll-loop.ts';
import type { PolledSource } from '../../connectors/meters/polled.ts';
import type { FaultWords } from '../../engine/errors.ts';
import type { Device } from '../../engine/model/site.ts';
import type { Intake } from '../../engine/ports.ts';
import type { Base, DeviceService, LiveValues, MeterService } from '../services.ts';
import { channelMap, oriented } from './devices/orientation.ts';
import type { DeviceInside } from './devices.ts';
import { createDiscovery, type Publish } from './discovery.ts';
import type { Profiles } from './profiles.ts';

export type PollingDeps = Base & {
  devices: DeviceService & DeviceInside;
  meters: MeterService;
  intake: Intake;
  profiles: Profiles;
  live: LiveValues;
  publish: Publish;
};
export type Polling = { start(): Promise<void>; stop(): Promise<void> };

/** Longest pauses between two tries of a device that does not answer. */
const LONGEST_MODBUS_MS = 2_000;
const LONGEST_HTTP_MS = 60_000;

type Poller = { made_for: string; loop: PollLoop; source: PolledSource };
type PolledDevice = Device & { connection: { poll_s: number } };

export function createPolling(deps: PollingDeps): Polling {
  const { devices, meters, log } = deps;
  const pollers = new Map<string, Poller>();
  const discovery = createDiscovery({ ...deps, tenants: devices.tenants });
  let changing: Promise<void> = Promise.resolve();
  let stopListening: () => void = () => undefined;

  async function end(key: string): Promise<void> {
    const poller = pollers.get(key);
    if (!poller) return;
    pollers.delete(key);
    await poller.loop.stop();
    await poller.source.close();
  }

  function begin(key: string, device: PolledDevice): void {
    const source = devices.openSource(device);
    const loop = startPollLoop({
      period_ms: device.connection.poll_s * 1000,
      clock: deps.clock,
      // A Modbus bus lets its dead units rest by itself and says so at once; other devices have no such keeper.
      longest_ms: device.connection.kind === 'http' ? LONGEST_HTTP_MS : LONGEST_MODBUS_MS,
      poll: (signal) => pollOnce(deps, device, source, signal),
    });
    pollers.set(key, { made_for: made(device), loop, source });
  }

  async function follow(): Promise<void> {
    const wanted = new Map<string, PolledDevice>();
    for (const tenant of devices.tenants())
      for (const device of devices.list(tenant)) if (isPolled(device)) wanted.set(`${tenant}\n${device.id}`, device);
    for (const [key, { made_for }] of [...pollers]) {
      const device = wanted.get(key);
      if (!device || made(device) !== made_for) await end(key);
    }
    for (const [key, device] of wanted)
      try {
        if (!pollers.has(key)) begin(key, device);
      } catch (error) {
        devices.report(device.tenant, device.id, { kind: 'failed', text: (error as Error).message });
      }
  }

  function change(): void {
    changing = changing
      .then(follow)
      .catch((error: unknown) => log.error({ err: error }, 'the pollers could not follow'));
  }

  return {
    async start() {
      stopListening = meters.onChange(change);
      change();
      await changing;
      discovery.start();
    },
    async stop() {
      stopListening();
      discovery.stop();
      await changing;
      await Promise.all([...pollers.keys()].map(end));
      await devices.close();
    },
  };
}

function isPolled(device: Device): device is PolledDevice {
  return device.enabled && device.profile !== null && 'poll_s' in device.connection;
}

/** What a poller was made for; another name or meter point needs no new one. */
function made({ profile, connection }: Device): string {
  return JSON.stringify([profile, connection]);
}

/** Reads the device and hands in what it gave; rejects when it does not answer, so that the rhythm slows. */
async function pollOnce(
  deps: PollingDeps,
  device: PolledDevice,
  source: PolledSource,
  signal: AbortSignal,
): Promise<void> {
  const { devices, meters, profiles, intake, clock, log } = deps;
  const { tenant, id } = device;
  try {
    const { readings, firmware, notes } = await source.read(signal);
    if (signal.aborted) return;
    for (const note of notes) log.warn({ tenant_id: tenant, device: id }, note);
    devices.report(tenant, id, { kind: 'seen', ...(firmware === null ? {} : { firmware }) });
    const channels = channelMap(meters.ofDevice(tenant, id), profiles.full(device.profile ?? '').channels);
    const kept = oriented(readings, channels).map(({ channel, quantity, value, at_ms }) => ({
      ...{ meter: channels.get(channel)?.meter ?? id, quantity, at_ms, value, quality: 0 },
    }));
    if (kept.length === 0) return;
    const kind = device.connection.kind === 'http' ? 'http-poll' : 'modbus';
    await intake({ tenant, source: kind, device: id, received_ms: clock.now(), readings: kept }).catch(
      (error: unknown) =>
        // Not the device's fault: it is asked again in its rhythm.
        log.warn({ err: error, tenant_id: tenant, device: id }, 'what was polled could not be kept'),
    );
  } catch (error) {
    if (signal.aborted) return;
    const { message, remedy, words } = error as Error & { remedy?: string; words?: FaultWords };
    const text = remedy ? `${message} ${remedy}` : message;
    devices.report(tenant, id, { kind: 'failed', text, ...(words ? { words } : {}) });
    throw error;
  }
}
