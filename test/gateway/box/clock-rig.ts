/** The assembled box (without listeners) on clocks that a test turns. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reading } from '../../../engine/model/reading.ts';
import type { Clock } from '../../../engine/ports.ts';
import { assemble } from '../../../gateway/assemble.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createLifecycle } from '../../../gateway/lifecycle.ts';
import type { Actor } from '../../../gateway/services.ts';
import { copyTemplate, silent } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';

export const ADMIN: Actor = { tenant: 'default', person: 'ada', role: 'admin', language: 'en' };
export const DAY_MS = 86_400_000;
export const YEAR_MS = 365.25 * DAY_MS;
/** In range of what was built not long before. */
export const T0 = Math.ceil(Date.now() / 3_600_000) * 3_600_000 + DAY_MS;

/** The true time goes on by `pass`; the wall clock is off by `wrong_ms`; the machine starts anew by `reboot`. */
export function createTurnedClock() {
  let hardware = true;
  let true_ms = T0;
  let wrong_ms = 0;
  let booted_ms = T0 - 3_600_000;
  let boots = 1;
  return {
    clock: (): Clock => ({
      now: () => Math.round(true_ms + wrong_ms),
      monotonic: () => true_ms - booted_ms,
      boot: `boot-${boots}`,
      hardware,
    }),
    true_ms: () => true_ms,
    pass(ms: number) {
      true_ms += ms;
    },
    /** Sets how far the wall clock is off. */
    wrong(ms: number) {
      wrong_ms = ms;
    },
    /** Whether the machine has a clock that goes on while it is off. */
    battery(has: boolean) {
      hardware = has;
    },
    reboot(off_ms: number) {
      true_ms += off_ms;
      booted_ms = true_ms - 20_000;
      boots++;
    },
  };
}
export type TurnedClock = ReturnType<typeof createTurnedClock>;

export async function newHome(): Promise<{ home: string; remove(): Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), 'luna-clock-'));
  await copyTemplate(home);
  return { home, remove: () => rm(home, { recursive: true, force: true }) };
}

export async function openClockBox(home: string, clock: Clock) {
  const config = loadConfig({ LUNA_HOME: home, LUNA_WEATHER: 'off', LUNA_BACKUP_AT: 'off', LUNA_LOG_LEVEL: 'silent' });
  const { services, parts } = await assemble(config, silent, { listen: false, clock });
  const lifecycle = createLifecycle(parts, silent);
  await lifecycle.start();
  const { intake, devices } = services;
  if (!devices.get('default', 'pump'))
    await devices.create(ADMIN, { id: 'pump', connection: { kind: 'mqtt', topic: null } });
  const shown = async () => {
    const range = { meter: 'pump', quantity: 'power_W', from_ms: -8.64e15, to_ms: 8.64e15 };
    const { at_ms, values, quality } = await services.series.readings.read('default', range);
    return Array.from(at_ms, (at, i) => ({ at_ms: at, value: values[i]!, quality: quality[i]! }));
  };
  await until(
    () =>
      shown().then(
        () => true,
        () => false,
      ),
    'the series store',
  );
  return {
    services,
    shown,
    /** A reading that the box stamps, as the broker hands it in. */
    async push(value: number) {
      const now = services.clock.now();
      const reading: Reading = { meter: 'pump', quantity: 'power_W', at_ms: now, value, quality: 0 };
      return intake({ tenant: 'default', source: 'mqtt', device: 'pump', received_ms: now, readings: [reading] });
    },
    /** A reading that carries the device's own time. */
    async pushAt(value: number, at_ms: number) {
      const reading: Reading = { meter: 'pump', quantity: 'power_W', at_ms, value, quality: 0 };
      return intake({
        tenant: 'default',
        source: 'mqtt',
        device: 'pump',
        received_ms: services.clock.now(),
        readings: [reading],
      });
    },
    /** Waits until the series store shows all of these, and returns them, oldest first. */
    async until(values: readonly number[]) {
      const found = async () => (await shown().catch(() => [])).filter(({ value }) => values.includes(value));
      await until(async () => (await found()).length >= values.length, `readings ${values}`);
      return found();
    },
    close: () => lifecycle.close(),
  };
}
