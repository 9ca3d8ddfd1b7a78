/** MQTT devices of the demo: each connects with its own credential and publishes what its firmware does. */
import { connectAsync, type MqttClient } from 'mqtt';
import { zoneOffset } from '../../engine/model/time.ts';
import { DEMO_ZONE, type DemoSite } from './generator.ts';
import { DEMO_DEVICES, type DemoDevice, registerOf } from './meters.ts';

export type Credential = { id: string; username: string; password: string };
export type MqttDevices = { close(): Promise<void> };

type Message = { topic: string; payload: string | object; qos: 0 | 1; retain?: boolean };
type Context = { site: DemoSite; device: DemoDevice; at_ms: number; reset_ms: number };

const EVERY_MS = 5000;
/** Shelly's registers come each minute. */
const REGISTERS_EVERY = 12;
const MAINS_V = 231.2;

/** Keeps trying to reach the broker; `close` ends it. */
export async function openMqttDevices(options: {
  url: string;
  credentials: readonly Credential[];
  site: DemoSite;
  now: () => number;
  reset_ms: number;
}): Promise<MqttDevices> {
  const { site, now, reset_ms } = options;
  const running = await Promise.all(
    options.credentials.map(async ({ id, username, password }, i) => {
      const device = DEMO_DEVICES.find((one) => one.id === id);
      if (!device) throw new Error(`${id} is no demo device`);
      const client = await connectAsync(options.url, {
        clientId: device.topic ?? id,
        username,
        password,
        reconnectPeriod: 2000,
        will: willOf(device),
      });
      client.on('error', () => {});
      const context = () => ({ site, device, at_ms: now(), reset_ms });
      sendAll(client, helloOf(context()));
      let count = 0;
      const publish = () => {
        if (client.connected) sendAll(client, messagesOf(context(), count++));
      };
      publish();
      // not all in the same moment
      const timer = setInterval(publish, EVERY_MS + 40 * i);
      return { client, timer };
    }),
  );
  return {
    async close() {
      for (const { timer } of running) clearInterval(timer);
      await Promise.allSettled(running.map(({ client }) => client.endAsync(true)));
    },
  };
}

function sendAll(client: MqttClient, messages: readonly Message[]): void {
  for (const { topic, payload, qos, retain } of messages)
    client.publish(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos, retain });
}

function willOf({ profile, topic }: DemoDevice) {
  if (profile === 'shelly-pro-3em')
    return { topic: `${topic}/online`, payload: Buffer.from('false'), qos: 0 as const, retain: true };
  if (profile === 'tasmota-sml')
    return { topic: `tele/${topic}/LWT`, payload: Buffer.from('Offline'), qos: 1 as const, retain: true };
  return undefined;
}

function helloOf({ device: { profile, topic } }: Context): Message[] {
  if (profile === 'shelly-pro-3em') return [{ topic: `${topic}/online`, payload: 'true', qos: 0, retain: true }];
  if (profile !== 'tasmota-sml') return [];
  return [
    { topic: `tele/${topic}/LWT`, payload: 'Online', qos: 1, retain: true },
    {
      topic: `tele/${topic}/INFO1`,
      payload: {
        Info1: {
          Module: 'Generic',
          Version: '14.2.0(tasmota32)',
          FallbackTopic: `cmnd/${topic}_fb/`,
          GroupTopic: 'cmnd/tasmotas/',
        },
      },
      qos: 0,
    },
  ];
}

/** What one device sends at this moment. */
export function messagesOf(context: Context, count: number): Message[] {
  if (context.device.profile === 'shelly-pro-3em') return shelly(context, count);
  if (context.device.profile === 'tasmota-sml') return tasmota(context);
  return ownFormat(context);
}

/** Shelly Gen2 status messages, `em:0` often and `emdata:0` each minute (shelly-api-docs, EM and EMData). */
function shelly({ site, device, at_ms, reset_ms }: Context, count: number): Message[] {
  const power_W = site.power_W(device.meter, at_ms);
  const phases = Object.fromEntries(
    ['a', 'b', 'c'].flatMap((phase, i) => {
      const watt = power_W * [0.37, 0.33, 0.3][i]!;
      return [
        [`${phase}_current`, round(watt / MAINS_V / 0.96, 3)],
        [`${phase}_voltage`, round(MAINS_V + i * 0.3, 1)],
        [`${phase}_act_power`, round(watt, 1)],
        [`${phase}_aprt_power`, round(watt / 0.96, 1)],
        [`${phase}_pf`, 0.96],
        [`${phase}_freq`, 50],
      ];
    }),
  );
  const em = {
    id: 0,
    ...phases,
    n_current: null,
    total_current: round((3 * power_W) / 3 / MAINS_V / 0.96, 3),
    total_act_power: round(power_W, 3),
    total_aprt_power: round(power_W / 0.96, 3),
    user_calibrated_phase: [],
  };
  const messages: Message[] = [{ topic: `${device.topic}/status/em:0`, payload: em, qos: 0 }];
  if (count % REGISTERS_EVERY === 0) {
    const total_act = round(registerOf(site, device.meter, 'import', at_ms, reset_ms) * 1000, 2);
    messages.push({
      topic: `${device.topic}/status/emdata:0`,
      payload: { id: 0, total_act, total_act_ret: 0 },
      qos: 0,
    });
  }
  return messages;
}

/** A reading head's SENSOR message: local time without zone, as the firmware writes it. */
function tasmota({ site, device, at_ms, reset_ms }: Context): Message[] {
  const SML = {
    Total_in: round(registerOf(site, device.meter, 'import', at_ms, reset_ms), 4),
    Total_out: 0,
    Power_curr: Math.round(site.power_W(device.meter, at_ms)),
    Meter_id: '0a014c4f5700demo',
  };
  const Time = new Date(at_ms + zoneOffset(at_ms, DEMO_ZONE)).toISOString().slice(0, 19);
  return [{ topic: `tele/${device.topic}/SENSOR`, payload: { Time, SML }, qos: 0 }];
}

/** The battery speaks the box's own format: `meters/<device>/readings`. */
function ownFormat({ site, device, at_ms, reset_ms }: Context): Message[] {
  const payload = {
    at: new Date(at_ms).toISOString(),
    power_W: round(site.power_W(device.meter, at_ms), 1),
    import_kWh: registerOf(site, device.meter, 'import', at_ms, reset_ms),
    export_kWh: registerOf(site, device.meter, 'export', at_ms, reset_ms),
    soc_percent: round(site.soc_percent(at_ms), 1),
  };
  return [{ topic: `meters/${device.id}/readings`, payload, qos: 1 }];
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
