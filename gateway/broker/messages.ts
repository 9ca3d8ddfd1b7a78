/**
 * One MQTT message on its way from the wire to the journal, for the embedded broker and the client of an external one.
 * The rule of acknowledgement: `take` resolves when the message may be acknowledged. That is when its readings are
 * durable, and also when it can never be stored (malformed): the sender would repeat it for ever, so it is counted and
 * shown as the device's error. It rejects when the message cannot be stored now: the sender must keep it.
 */
import type { Logger } from 'pino';
import type { DecodedMessage } from '../../connectors/meters/mqtt/topic-decoder.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import type { Reading, ReadingGroup } from '../../engine/model/reading.ts';
import type { Intake, IntakeOutcome } from '../../engine/ports.ts';
import { decodePush } from '../../engine/quality/push.ts';
import type { Metrics } from '../metrics.ts';
import type { DeviceService } from '../services.ts';
import type { Deliveries, Sender } from './deliveries.ts';
import type { DeviceRoute } from './routes.ts';

export const MESSAGE_MAX_BYTES = 256 * 1024;
/** A device that is heard or fails often is reported once in this time. */
const REPORT_EVERY_MS = 1000;

export type MessageDeps = {
  intake: Intake;
  deliveries: Deliveries;
  devices: Pick<DeviceService, 'report'>;
  metrics: Metrics;
  log: Logger;
};
export type Messages = {
  /** @param delivery where the message can be delivered again (QoS 1 and 2): readings without a time of their own
   * then keep the time of its first arrival. */
  take(route: DeviceRoute, topic: string, payload: Buffer, now_ms: number, delivery?: Delivery): Promise<void>;
  /** Counts and shows a message that is refused for ever. */
  refuse(route: DeviceRoute, reason: string, text: string): void;
};

export type Delivery = { sender: Sender; packet_id: number; dup: boolean };

type Decoded = { readings: Reading[]; problem: string | null; timeless: boolean; firmware?: string };

const DONE = Promise.resolve();

export function createMessages({ intake, deliveries, devices, metrics, log }: MessageDeps): Messages {
  const reported = new Map<string, number>();
  function due(route: DeviceRoute, kind: string): boolean {
    const key = `${kind}\n${route.tenant}\n${route.device}`;
    const now = performance.now();
    if (now - (reported.get(key) ?? -REPORT_EVERY_MS) < REPORT_EVERY_MS) return false;
    reported.set(key, now);
    return true;
  }
  function refuse(route: DeviceRoute, reason: string, text: string): void {
    metrics.mqtt_refused.inc({ reason });
    if (!due(route, 'failed')) return;
    log.warn({ tenant_id: route.tenant, device: route.device, reason }, text);
    devices.report(route.tenant, route.device, { kind: 'failed', text });
  }
  function settle(route: DeviceRoute, decoded: Decoded, outcome: IntakeOutcome): void {
    const { firmware } = decoded;
    if (firmware !== undefined || due(route, 'seen'))
      devices.report(route.tenant, route.device, { kind: 'seen', firmware });
    const problem = decoded.problem ?? outcome.rejected[0]?.problem;
    if (problem !== undefined) refuse(route, 'invalid', problem);
  }
  return {
    refuse,
    take(route, topic, payload, now_ms, delivery) {
      const first_ms = delivery && deliveries.firstArrival(delivery.sender, { ...delivery, payload }, now_ms);
      const arrival_ms = first_ms ?? now_ms;
      const decoded = decode(route, topic, payload, arrival_ms);
      if (decoded.readings.length === 0) {
        settle(route, decoded, NOTHING);
        return DONE;
      }
      const { readings } = decoded;
      const { tenant, device } = route;
      const group: ReadingGroup = { tenant, source: 'mqtt', device, received_ms: arrival_ms, readings };
      if (!delivery || !decoded.timeless) return intake(group).then((outcome) => settle(route, decoded, outcome));
      const { sender } = delivery;
      const key = deliveries.remember(sender, delivery.packet_id, payload, arrival_ms);
      group.delivery = key;
      return intake(group).then((outcome) => {
        deliveries.acknowledged(sender, key);
        settle(route, decoded, outcome);
      });
    },
  };
}

const NOTHING: IntakeOutcome = { accepted: 0, flagged: 0, rejected: [] };

function decode(route: DeviceRoute, topic: string, payload: Buffer, arrival_ms: number): Decoded {
  if (payload.length > MESSAGE_MAX_BYTES)
    return failed(`A message of ${payload.length} bytes is more than 256 kB; send its readings in parts.`);
  if (topic === route.push_topic) return decodePushed(route, payload, arrival_ms);
  if (!route.decoder) return { readings: [], problem: null, timeless: false };
  try {
    return ofChannels(route, route.decoder.decode(topic, payload, arrival_ms), arrival_ms);
  } catch (error) {
    if (error instanceof InvalidDataError) return failed(error.message);
    return failed(`The message on ${topic} cannot be decoded: ${(error as Error).message}`);
  }
}

function decodePushed(route: DeviceRoute, payload: Buffer, arrival_ms: number): Decoded {
  let body: unknown;
  try {
    body = JSON.parse(payload.toString('utf8'));
  } catch (error) {
    return failed(`The message is no JSON: ${(error as Error).message}`);
  }
  const pushed = decodePush(body, { meter: route.default_meter, arrival_ms });
  return { readings: pushed.readings, problem: pushed.rejected[0]?.problem ?? null, timeless: pushed.timeless };
}

function ofChannels(route: DeviceRoute, message: DecodedMessage, arrival_ms: number): Decoded {
  const readings: Reading[] = [];
  let problem: string | null = null;
  let timeless = false;
  for (const { channel, quantity, value, at_ms } of message.readings) {
    const meter = route.meters.get(channel);
    if (meter === undefined) problem = `The device reports a channel "${channel}" that has no meter point; add one.`;
    else readings.push({ meter, quantity, at_ms, value, quality: 0 });
    timeless ||= at_ms === arrival_ms;
  }
  return { readings, problem, timeless, firmware: message.firmware };
}

function failed(problem: string): Decoded {
  return { readings: [], problem, timeless: false };
}
