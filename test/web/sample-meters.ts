/** Meter points, devices and live values of the sample building. */
import type { Clock } from '../../engine/ports.ts';
import type { LiveValue, ProfileSummary, Services } from '../../gateway/services.ts';
import { CURVES, gridOf, noise } from './sample-curves.ts';
import { DEVICES, POINTS, SILENT_SINCE_MS } from './sample-site.ts';

/** Share of the building's load that each sub-meter shows. */
const SHARES: Record<string, number> = {
  'hall-1': 0.34,
  'hall-2': 0.22,
  ventilation: 0.16,
  charging: 0.09,
  servers: 0.05,
};

const PROFILES: readonly ProfileSummary[] = [
  {
    name: 'eastron-sdm630',
    vendor: 'Eastron',
    model: 'SDM630-Modbus',
    transport: 'modbus',
    verified: true,
    firmware_range: null,
    channels: [
      {
        name: 'main',
        label: 'Main',
        role: 'load',
        quantities: [
          'power_W',
          'import_kWh',
          'export_kWh',
          'voltage_l1_V',
          'voltage_l2_V',
          'voltage_l3_V',
          'frequency_Hz',
        ],
      },
    ],
    defaults: { port: 502, unit: 1, poll_s: 5 },
    notes: null,
  },
  {
    name: 'sunspec-inverter',
    vendor: 'SunSpec',
    model: 'Inverter (101–103, 111–113)',
    transport: 'modbus',
    verified: false,
    firmware_range: null,
    channels: [
      { name: 'main', label: 'Inverter', role: 'generation', quantities: ['power_W', 'export_kWh', 'temperature_C'] },
    ],
    defaults: { port: 502, unit: 126, poll_s: 5 },
    notes: null,
  },
];

/** Power of a meter point at an instant, in W; null where it measures something else. */
export function powerOf(meter: string, at_ms: number): number | null {
  if (meter === 'grid') return gridOf(at_ms);
  if (meter === 'solar') return CURVES.generation(at_ms);
  if (meter === 'battery') return CURVES.battery(at_ms);
  if (meter === 'rest') return gridOf(at_ms) - (SHARES['hall-1']! + SHARES.ventilation!) * CURVES.load(at_ms);
  const share = SHARES[meter];
  return share === undefined ? null : share * CURVES.load(at_ms) * (1 + 0.03 * noise(at_ms, meter.length));
}

function lastOf(meter: string, now_ms: number): number | null {
  if (meter === 'hall-2') return SILENT_SINCE_MS;
  if (meter === 'rest') return null;
  const every_ms = meter === 'gas' ? 300_000 : 5_000;
  return Math.floor(now_ms / every_ms) * every_ms + (meter.length % 3) * 700;
}

export function sampleMeters(clock: Clock): Pick<Services, 'meters' | 'devices' | 'live' | 'profiles'> {
  const value = (at_ms: number, number: number): LiveValue => ({
    at_ms,
    received_ms: at_ms + 40,
    value: number,
    quality: 0,
  });
  return {
    profiles: { list: () => PROFILES, get: (name) => PROFILES.find((profile) => profile.name === name) ?? null },
    meters: {
      list: () => [...POINTS].sort((a, b) => a.name.localeCompare(b.name)),
      get: (_, id) => POINTS.find((point) => point.id === id) ?? null,
      ofDevice: (_, device) => POINTS.filter((point) => point.device === device),
      save: async () => {},
      remove: async () => {},
      onChange: () => () => {},
      refresh: async () => {},
    },
    devices: {
      list: () => DEVICES,
      get: (_, id) => DEVICES.find((device) => device.id === id) ?? null,
      state: (_, id) => {
        const meter = id.replace(/-device$/, '');
        if (meter !== 'hall-2') return { connected: true, last_seen_ms: lastOf(meter, clock.now()), last_error: null };
        const text = 'The device at 192.168.1.20:502 refuses the connection.';
        return {
          connected: false,
          last_seen_ms: SILENT_SINCE_MS,
          last_error: { at_ms: SILENT_SINCE_MS + 60_000, text },
        };
      },
      create: async (_, device) => ({
        id: device.id,
        username: device.id,
        password: 'p'.repeat(43),
        topic: `meters/${device.id}/readings`,
        meters: [device.id],
      }),
      update: async () => {},
      remove: async () => {},
      newCredential: async (_, id) => ({ username: id, password: 'q'.repeat(43) }),
      testRead: async () => ({
        ok: true,
        problem: null,
        firmware: '2.1',
        took_ms: 84,
        values: [
          { channel: 'main', quantity: 'power_W', value: 4210.5, unit: 'W', raw: '0x4583 0x9400' },
          { channel: 'main', quantity: 'import_kWh', value: 18_231.4, unit: 'kWh', raw: '0x468E 0x6ECD' },
        ],
      }),
      authenticate: async () => null,
      report: () => {},
    },
    live: {
      of: (_, meter) => {
        const at_ms = lastOf(meter, clock.now());
        const found = new Map<string, LiveValue>();
        if (at_ms === null) return found;
        const power_W = powerOf(meter, at_ms);
        if (power_W !== null) found.set('power_W', value(at_ms, power_W));
        if (meter === 'gas') found.set('gas_m3', value(at_ms, 18_204.37));
        if (meter === 'battery') found.set('soc_percent', value(at_ms, 62));
        if (meter === 'grid') {
          found.set('import_kWh', value(at_ms, 482_113.6));
          found.set('export_kWh', value(at_ms, 20_411.2));
          found.set('voltage_V', value(at_ms, 231.4));
          found.set('frequency_Hz', value(at_ms, 49.98));
        }
        return found;
      },
      last_ms: (_, meter) => lastOf(meter, clock.now()),
      recent: (_, meter) => {
        const last = lastOf(meter, clock.now());
        if (last === null || powerOf(meter, last) === null) return [];
        return Array.from({ length: 60 }, (_, i) => {
          const at_ms = last - (59 - i) * 10_000;
          return { at_ms, value: powerOf(meter, at_ms)! };
        });
      },
    },
  };
}
