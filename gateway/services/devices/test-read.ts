/** Reading a device once before it is saved: decoded values, or in words what failed and what to do. */
import { createTopicDecoder, type DecodedMessage } from '../../../connectors/meters/mqtt/topic-decoder.ts';
import type { PolledSource } from '../../../connectors/meters/polled.ts';
import { firmwareRange, madeFor, type Profile } from '../../../connectors/meters/profile/profile.ts';
import { topicMatches } from '../../../connectors/meters/profile/topics.ts';
import { quantityInfo } from '../../../engine/model/quantity.ts';
import type { Connection } from '../../../engine/model/site.ts';
import type { Clock } from '../../../engine/ports.ts';
import { decodePush } from '../../../engine/quality/push.ts';
import type { TestRead } from '../../services.ts';

/** From the broker: the next message that a device of the tenant publishes within a filter. */
export type Listen = (
  tenant: string,
  filter: string,
  signal: AbortSignal,
) => Promise<{ topic: string; payload: Buffer }>;

const LISTEN_MS = 20_000;
/** Devices send their values in several messages, one after the other. */
const GATHER_MS = 1500;
const POLL_MS = 15_000;

type Found = { values: Omit<TestRead['values'][number], 'unit'>[]; firmware: string | null; notes: string[] };
type MqttTest = { tenant: string; profile: Profile | null; connection: Extract<Connection, { kind: 'mqtt' }> };

/** @returns never rejects for what a device does: `problem` says it. */
export async function testPolled(
  profile: Profile,
  open: () => PolledSource,
  clock: Clock,
  signal: AbortSignal,
): Promise<TestRead> {
  return timed(clock, profile, async () => {
    const source = open();
    try {
      const { readings, firmware, notes } = await source.read(AbortSignal.any([signal, AbortSignal.timeout(POLL_MS)]));
      return { values: readings, firmware, notes };
    } finally {
      await source.close();
    }
  });
}

export async function testMqtt(test: MqttTest, listen: Listen, clock: Clock, signal: AbortSignal): Promise<TestRead> {
  return timed(clock, test.profile, async () => {
    // Without a topic any device of this kind will do.
    const { tenant, profile, connection } = test;
    const decoder = profile ? createTopicDecoder(profile, { tenant, id: '+', connection }) : null;
    const decode = decoder ? decoder.decode : decodePushed;
    const filters = decoder ? decoder.subscriptions() : ['meters/+/readings'];
    const found: Found = { values: [], firmware: null, notes: [] };
    let deadline = AbortSignal.timeout(LISTEN_MS);
    for (;;) {
      const message = await next(listen, tenant, filters, AbortSignal.any([signal, deadline]));
      if (!message) break;
      if (found.values.length === 0) deadline = AbortSignal.timeout(GATHER_MS);
      add(found, decode(message.topic, message.payload, clock.now()));
    }
    if (found.values.length === 0 && found.firmware === null) throw new Error(nothingCame(filters));
    return found;
  });
}

export function testPush(): TestRead {
  const problem =
    'Nothing to read: this device sends by itself. Save it, then let it send JSON such as {"power_W": 1200, "import_kWh": 5012.3} ' +
    'to POST /api/v1/readings with its user name and password (HTTP Basic) and "meter" set to its meter point.';
  return { ok: true, problem, firmware: null, took_ms: 0, values: [] };
}

async function timed(clock: Clock, profile: Profile | null, read: () => Promise<Found>): Promise<TestRead> {
  const begun_ms = clock.now();
  try {
    const { values, firmware, notes } = await read();
    const unit = (quantity: string) => quantityInfo(quantity)?.unit ?? '';
    const none = values.length === 0 ? ['It answers, but has no values now.'] : [];
    const remarks = [...notes, ...none, ...outside(profile, firmware)];
    return {
      ok: values.length > 0,
      problem: remarks.length > 0 ? remarks.join(' ') : null,
      firmware,
      took_ms: clock.now() - begun_ms,
      values: values.map(({ channel, quantity, value, raw }) => ({
        channel,
        quantity,
        value,
        unit: unit(quantity),
        raw,
      })),
    };
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string };
    const problem = remedy ? `${message} ${remedy}` : message;
    return { ok: false, problem, firmware: null, took_ms: clock.now() - begun_ms, values: [] };
  }
}

function outside(profile: Profile | null, firmware: string | null): string[] {
  if (!profile || firmware === null || madeFor(profile, firmware)) return [];
  return [
    `Its firmware ${firmware} is outside of ${firmwareRange(profile)}, which the profile was made for: check the values.`,
  ];
}

type Decode = (topic: string, payload: Buffer, now_ms: number) => DecodedMessage;

const decodePushed: Decode = (_topic, payload, now_ms) => {
  const { readings, rejected } = decodePush(JSON.parse(payload.toString('utf8')), {
    meter: 'main',
    arrival_ms: now_ms,
  });
  if (readings.length === 0 && rejected.length > 0) throw new Error(rejected[0]!.problem);
  return { readings: readings.map(({ quantity, value, at_ms }) => ({ channel: 'main', quantity, value, at_ms })) };
};

async function next(
  listen: Listen,
  tenant: string,
  filters: readonly string[],
  signal: AbortSignal,
): Promise<{ topic: string; payload: Buffer } | null> {
  for (;;) {
    try {
      const message = await listen(tenant, '#', signal);
      if (filters.some((filter) => topicMatches(filter, message.topic))) return message;
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }
}

function add(found: Found, { readings, firmware }: DecodedMessage): void {
  found.firmware = firmware ?? found.firmware;
  for (const { channel, quantity, value } of readings) {
    const others = found.values.filter((known) => known.channel !== channel || known.quantity !== quantity);
    found.values = [...others, { channel, quantity, value, raw: String(value) }];
  }
}

function nothingCame(filters: readonly string[]): string {
  const shown = filters.slice(0, 3).join(', ');
  return (
    `No message came within 20 s on ${shown}. A new device gets its user name and password when it is saved: ` +
    'save it, enter them in the device, and test again; else check the topic and the device’s MQTT settings.'
  );
}
