/** What is known of the way to each device, in memory; the alert `device_unreachable` of those that are polled. */
import type { Logger } from 'pino';
import type { FaultWords } from '../../../engine/errors.ts';
import type { Clock, EventBus } from '../../../engine/ports.ts';
import type { AlertService, DeviceState } from '../../services.ts';

export type DeviceEvent = { kind: 'seen' | 'connected' | 'lost' | 'failed'; text?: string; words?: FaultWords };

export type DeviceStates = {
  of(tenant: string, device: string): DeviceState;
  /** @param polled the box goes to the device, so a failure means that it cannot be reached. */
  report(tenant: string, device: string, event: DeviceEvent, polled: boolean): void;
  /** Forgets a device and closes its alert. */
  forget(tenant: string, device: string): void;
};

type Kept = DeviceState & { failures: number; alerted: boolean };

/** A single lost answer is no alert: after so many failures in a row it is. */
const FAILURES_UNTIL_ALERT = 3;

const UNKNOWN: DeviceState = { connected: null, last_seen_ms: null, last_error: null };

export function createDeviceStates({
  clock,
  bus,
  alerts,
  log,
}: {
  clock: Clock;
  bus: Pick<EventBus, 'publish'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  log: Logger;
}): DeviceStates {
  const states = new Map<string, Kept>();
  const key = (tenant: string, device: string) => `${tenant}\n${device}`;

  const settle = (doing: Promise<void>, device: string) => {
    doing.catch((error: unknown) => log.warn({ err: error, device }, 'an alert of a device could not be written'));
  };

  function failed(
    state: Kept,
    tenant: string,
    device: string,
    text: string,
    words: FaultWords | undefined,
    polled: boolean,
  ): void {
    // The time it began: the same failure again is the same failure.
    const at_ms = state.last_error?.text === text ? state.last_error.at_ms : clock.now();
    state.last_error = { at_ms, text, ...(words ? { words } : {}) };
    if (!polled) return;
    state.connected = false;
    state.failures += 1;
    if (state.failures < FAILURES_UNTIL_ALERT || state.alerted) return;
    state.alerted = true;
    settle(alerts.raise(tenant, 'device_unreachable', device, 'warning', { text, since_ms: at_ms }), device);
  }

  function well(state: Kept, tenant: string, device: string, first: boolean): void {
    state.last_error = null;
    state.failures = 0;
    // An alert may be open from before a restart.
    if (state.alerted || first) settle(alerts.clear(tenant, 'device_unreachable', device), device);
    state.alerted = false;
  }

  return {
    of: (tenant, device) => {
      const { connected, last_seen_ms, last_error } = states.get(key(tenant, device)) ?? UNKNOWN;
      return { connected, last_seen_ms, last_error };
    },
    report(tenant, device, { kind, text, words }, polled) {
      const known = states.get(key(tenant, device));
      const state: Kept = known ?? { ...UNKNOWN, failures: 0, alerted: false };
      states.set(key(tenant, device), state);
      const before = shown(state);
      if (kind === 'seen') state.last_seen_ms = clock.now();
      if (kind === 'seen' || kind === 'connected') {
        const first = state.connected === null;
        state.connected = true;
        well(state, tenant, device, first);
      } else if (kind === 'lost') {
        state.connected = false;
        state.last_error = { at_ms: clock.now(), text: text ?? 'The connection ended.' };
      } else failed(state, tenant, device, text ?? 'It does not answer.', words, polled);
      if (shown(state) !== before) bus.publish({ type: 'device', tenant, device });
    },
    forget(tenant, device) {
      if (states.get(key(tenant, device))?.alerted) settle(alerts.clear(tenant, 'device_unreachable', device), device);
      states.delete(key(tenant, device));
    },
  };
}

/** What a waiting page shows; the time last seen comes with the readings. */
function shown({ connected, last_error }: DeviceState): string {
  return `${connected} ${last_error?.text ?? ''}`;
}
