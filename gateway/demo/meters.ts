/** Which device measures which part of the demo site, and what its registers show. */
import type { DemoMeter, DemoSite } from './generator.ts';

export type DemoDevice = {
  id: string;
  meter: DemoMeter;
  name: { en: string; de: string };
  profile: string | null;
  role: 'grid' | 'generation' | 'battery' | 'load' | 'sub-meter';
  parent: string | null;
  /** How it speaks: a unit on the Modbus server, or a topic of the broker. */
  unit: number | null;
  topic: string | null;
};

const SERIES: readonly Omit<DemoDevice, 'unit' | 'topic'>[] = [
  device('grid', { en: 'Grid connection', de: 'Netzanschluss' }, 'sunspec-meter', 'grid'),
  device('pv', { en: 'PV, 60 kWp', de: 'PV, 60 kWp' }, 'sunspec-inverter', 'generation'),
  device('battery', { en: 'Battery, 100 kWh', de: 'Batterie, 100 kWh' }, null, 'battery'),
  device('hall', { en: 'Production hall', de: 'Produktionshalle' }, 'shelly-pro-3em', 'load'),
  device('office', { en: 'Office', de: 'Büro' }, 'shelly-pro-3em', 'load'),
  device('ev', { en: 'Charging points', de: 'Ladepunkte' }, 'tasmota-sml', 'load'),
  device('cold', { en: 'Cold store', de: 'Kühllager' }, 'eastron-sdm630', 'sub-meter', 'demo-hall'),
];

const UNITS: Readonly<Partial<Record<DemoMeter, number>>> = { grid: 1, pv: 2, cold: 3 };
const TOPICS: Readonly<Partial<Record<DemoMeter, string>>> = {
  hall: 'shellypro3em-34987a46c1a0',
  office: 'shellypro3em-34987a46c2b4',
  ev: 'tasmota_5D0E9C',
};

export const DEMO_DEVICES: readonly DemoDevice[] = SERIES.map((one) => ({
  ...one,
  unit: UNITS[one.meter] ?? null,
  topic: TOPICS[one.meter] ?? null,
}));

function device(
  meter: DemoMeter,
  name: DemoDevice['name'],
  profile: string | null,
  role: DemoDevice['role'],
  parent: string | null = null,
): Omit<DemoDevice, 'unit' | 'topic'> {
  return { id: `demo-${meter}`, meter, name, profile, role, parent };
}

/** The registers of each meter: what is not listed it does not have. */
export const DIRECTIONS: Readonly<Record<DemoMeter, readonly ('import' | 'export')[]>> = {
  grid: ['import', 'export'],
  pv: ['export'],
  battery: ['import', 'export'],
  hall: ['import'],
  office: ['import'],
  ev: ['import'],
  cold: ['import'],
};

/**
 * A register as its device shows it, kWh: whole watt-hours, the cold store's in the 32-bit floats of its meter. The
 * charging points' meter was replaced at `reset_ms` and counts from zero since.
 */
export function registerOf(
  site: DemoSite,
  meter: DemoMeter,
  direction: 'import' | 'export',
  at_ms: number,
  reset_ms: number,
): number {
  const read = direction === 'import' ? site.import_kWh : site.export_kWh;
  const replaced = meter === 'ev' && at_ms >= reset_ms ? read(meter, reset_ms) : 0;
  const kWh = Math.floor((read(meter, at_ms) - replaced) * 1000) / 1000;
  return meter === 'cold' ? Math.fround(kWh) : kWh;
}
