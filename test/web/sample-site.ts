/** A made-up building for tests of pages: an office with workshop, solar roof and battery in Hamburg. */
import type { Device, EnergyPrice, MeterPoint, Site } from '../../engine/model/site.ts';

export const TENANT = 'default';
/** Wednesday 17 June 2026, 13:40:12 in Berlin. */
export const SAMPLE_NOW_MS = Date.UTC(2026, 5, 17, 11, 40, 12);

export const ENERGY_PRICE: EnergyPrice = {
  ...{ kind: 'day-ahead', area: 'DE-LU', factor: 1.03, fee_per_kWh: 0.118, vat_percent: 19 },
};
export const SITE: Site = {
  tenant: TENANT,
  id: 'site',
  name: 'Hafenhaus',
  place: 'Hamburg',
  latitude: 53.55,
  longitude: 9.99,
  time_zone: 'Europe/Berlin',
  country: 'DE',
  currency: 'EUR',
  demo: true,
};

type Sketch = Partial<MeterPoint> & Pick<MeterPoint, 'id' | 'name' | 'role'>;

const point = (sketch: Sketch): MeterPoint => ({
  tenant: TENANT,
  site: SITE.id,
  device: `${sketch.id}-device`,
  channel: 'main',
  parent: null,
  virtual: null,
  ...sketch,
});

export const POINTS: readonly MeterPoint[] = [
  point({ id: 'grid', name: 'Grid connection', role: 'grid' }),
  point({ id: 'solar', name: 'Solar roof', role: 'generation' }),
  point({ id: 'battery', name: 'Battery', role: 'battery' }),
  point({ id: 'hall-1', name: 'Hall 1', role: 'sub-meter', parent: 'grid' }),
  point({ id: 'hall-2', name: 'Hall 2', role: 'sub-meter', parent: 'grid' }),
  point({ id: 'ventilation', name: 'Ventilation and cooling', role: 'sub-meter', parent: 'grid' }),
  point({ id: 'charging', name: 'Car charging', role: 'sub-meter', parent: 'grid' }),
  point({ id: 'servers', name: 'Server room', role: 'sub-meter', parent: 'grid' }),
  point({ id: 'gas', name: 'Gas boiler', role: 'load', device: 'gas-device' }),
  point({
    id: 'rest',
    name: 'Everything else',
    role: 'load',
    device: null,
    virtual: [
      { meter: 'grid', factor: 1 },
      { meter: 'hall-1', factor: -1 },
      { meter: 'ventilation', factor: -1 },
    ],
  }),
];

export const DEVICES: readonly Device[] = POINTS.flatMap((each) =>
  each.device === null
    ? []
    : {
        tenant: TENANT,
        id: each.device,
        name: each.name,
        profile: each.id === 'solar' ? 'sunspec-inverter' : each.id === 'servers' ? null : 'eastron-sdm630',
        connection:
          each.id === 'servers'
            ? ({ kind: 'push' } as const)
            : ({ kind: 'modbus-tcp', host: '192.168.1.20', port: 502, unit: 1, poll_s: 5 } as const),
        enabled: true,
        firmware: '2.1',
      },
);

/** Hall 2 fell silent at 12:05 UTC+2 less a bit; its device refuses connections since. */
export const SILENT_SINCE_MS = Date.UTC(2026, 5, 17, 10, 5, 3);
