/** Sixty Modbus devices behind six gateways, polled as the box polls them; every value is checked against what it says. */

import { createBusRegistry } from '../../../connectors/meters/modbus/bus.ts';
import { openModbusSource } from '../../../connectors/meters/modbus/source.ts';
import type { PolledSource } from '../../../connectors/meters/polled.ts';
import { parseProfile } from '../../../connectors/meters/profile/profile.ts';
import type { Device } from '../../../engine/model/site.ts';
import { createRandom } from '../../../engine/random.ts';
import { createPolling, type PollingDeps } from '../../../gateway/services/polling.ts';
import { decodeTold, type FaultyGateway, openFaultyGateway } from '../../connectors/meters/modbus/faults.ts';
import { silent } from '../../setup/database.ts';

/** Two requests of one length and one of another function: what can be mixed up shows itself. */
const PLACES = { power_W: 0, power_l1_W: 4, power_l2_W: 400, power_l3_W: 404, reactive_power_var: 800 };
const YAML = `vendor: Test
model: Encoded
transport: modbus
channels: { main: { label: Encoded, role: load } }
modbus:
  max_gap: 0
  registers:
${Object.entries(PLACES)
  .map(([quantity, at]) => {
    const unit = quantity.endsWith('var') ? 'var' : 'W';
    return `    - { quantity: ${quantity}, at: ${at}, type: u64, unit: ${unit}${at === 800 ? ', function: 4' : ''} }`;
  })
  .join('\n')}
`;

export type Plant = {
  gateways: readonly FaultyGateway[];
  /** Units behind each gateway. */
  units: readonly number[];
  /** Good rounds of a device so far, and when its last one began (ms of the plant's clock). */
  rounds(gateway: number, unit: number): { count: number; last_ms: number };
  wrong(): readonly string[];
  values(): number;
  now_ms(): number;
  close(): Promise<void>;
};

export async function openPlant(options: {
  gateways: number;
  units: number;
  period_s: number;
  seed: number;
}): Promise<Plant> {
  const random = createRandom(options.seed);
  const begun = performance.now();
  const now_ms = () => Math.floor(performance.now() - begun);
  const gateways = await Promise.all(Array.from({ length: options.gateways }, () => openFaultyGateway(random, now_ms)));
  const units = Array.from({ length: options.units }, (_, i) => i + 1);
  const profile = { ...parseProfile('encoded', YAML), name: 'encoded', verified: false };
  const buses = createBusRegistry();
  const seen = new Map<string, { count: number; last_ms: number }>();
  const wrong: string[] = [];
  let values = 0;

  const devices: Device[] = gateways.flatMap(({ port }, g) =>
    units.map((unit) => ({
      ...{ tenant: 'default', id: `${g}-${unit}`, name: `${g}-${unit}`, profile: 'encoded', enabled: true },
      connection: { kind: 'modbus-tcp', host: '127.0.0.1', port, unit, poll_s: options.period_s },
      firmware: null,
    })),
  );
  const begins = new Map<string, number>();
  const openSource = (device: Device): PolledSource => {
    if (device.connection.kind !== 'modbus-tcp') throw new Error('all are Modbus TCP');
    const source = openModbusSource(profile, device.connection, { buses, clock: Date });
    return {
      ...source,
      read(signal) {
        begins.set(device.id, now_ms());
        return source.read(signal);
      },
    };
  };
  const intake: PollingDeps['intake'] = async ({ device, readings }) => {
    const [from_ms, to_ms] = [begins.get(device ?? '') ?? 0, now_ms()];
    const unit = Number(device?.split('-')[1]);
    for (const { quantity, value } of readings) {
      values += 1;
      const told = decodeTold(value);
      const place = PLACES[quantity as keyof typeof PLACES];
      if (told.unit !== unit || told.address !== place || told.at_ms < from_ms || told.at_ms > to_ms)
        wrong.push(`${device} ${quantity} asked ${from_ms} to ${to_ms}: ${JSON.stringify(told)}`);
    }
    const known = seen.get(device ?? '')?.count ?? 0;
    // A device that gives only a part has not recovered.
    if (readings.length === Object.keys(PLACES).length) seen.set(device ?? '', { count: known + 1, last_ms: from_ms });
    return { accepted: readings.length, flagged: 0, rejected: [] };
  };
  const polling = createPolling(standIns({ devices, openSource, intake, profile }));
  await polling.start();
  return {
    gateways,
    units,
    rounds: (gateway, unit) => seen.get(`${gateway}-${unit}`) ?? { count: 0, last_ms: -1 },
    wrong: () => wrong,
    values: () => values,
    now_ms,
    async close() {
      await polling.stop();
      await buses.close();
      for (const gateway of gateways) await gateway.close();
    },
  };
}

/** The services beside the pollers, as far as these use them. */
function standIns(given: {
  devices: readonly Device[];
  openSource: (device: Device) => PolledSource;
  intake: PollingDeps['intake'];
  profile: unknown;
}): PollingDeps {
  const { devices, openSource, intake, profile } = given;
  return {
    config: { discovery: false },
    clock: Date,
    log: silent,
    devices: {
      tenants: () => ['default'],
      list: () => devices,
      openSource,
      report: () => undefined,
      close: async () => undefined,
    },
    meters: {
      onChange: () => () => undefined,
      ofDevice: (_: string, id: string) => [{ id, channel: 'main', role: 'load' }],
    },
    profiles: { full: () => profile },
    intake,
    live: { of: () => new Map() },
    publish: () => undefined,
  } as unknown as PollingDeps;
}
