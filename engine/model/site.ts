/** Tenant → site → meter point → quantity. */
export type Role = 'admin' | 'analyst' | 'user';

export type Site = {
  tenant: string;
  id: string;
  name: string;
  place: string;
  latitude: number | null;
  longitude: number | null;
  /** IANA name, e.g. `Europe/Berlin`. */
  time_zone: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** ISO 4217. */
  currency: string;
  /** True while the site shows the demo; every page says so. */
  demo: boolean;
};

/**
 * What a meter point measures. Power is signed from the building's view:
 * grid and load: + is import / consumption (`power_W` = import − export);
 * generation: + is production; battery: + is discharge (`power_W` = export − import).
 * Energy registers: `import_kWh` is energy taken by what hangs behind the meter point (from the grid for the
 * grid meter, charged for a battery, consumed for a load), `export_kWh` energy given (fed in, discharged, produced).
 */
export type MeterRole = 'grid' | 'generation' | 'battery' | 'load' | 'sub-meter';

/** Sum of other meter points with factors: a difference is a factor of −1. */
export type VirtualFormula = readonly { meter: string; factor: number }[];

export type MeterPoint = {
  tenant: string;
  id: string;
  site: string;
  name: string;
  role: MeterRole;
  /** The device that supplies it and the device's channel; null for virtual ones. */
  device: string | null;
  channel: string;
  /** The meter point this one is a part of. */
  parent: string | null;
  virtual: VirtualFormula | null;
};

/** How the box reaches a device. */
export type Connection =
  | { kind: 'mqtt' /** Topic prefix the device publishes under, for profiles that need one. */; topic: string | null }
  | {
      kind: 'modbus-tcp';
      host: string;
      port: number;
      unit: number;
      poll_s: number;
      /** `rtu`: RTU frames over TCP, as simple serial gateways speak; Modbus TCP where left out. */
      framing?: 'tcp' | 'rtu';
    }
  | {
      kind: 'modbus-rtu';
      path: string;
      baud: number;
      parity: 'none' | 'even' | 'odd';
      stop_bits: 1 | 2;
      unit: number;
      poll_s: number;
    }
  | { kind: 'http'; url: string; token: string | null; poll_s: number }
  | { kind: 'push' };

export type Device = {
  tenant: string;
  id: string;
  name: string;
  /** Name of a folder in `firmware-profiles/`, or null: the device speaks our own format. */
  profile: string | null;
  connection: Connection;
  enabled: boolean;
  firmware: string | null;
};

/** The one price that a site is set up with; engine/tariff/simple.ts makes a tariff of it. */
export type EnergyPrice =
  | { kind: 'fixed' /** per kWh, without VAT, in the site's currency */; per_kWh: number; vat_percent: number }
  | {
      kind: 'day-ahead';
      /** Market area such as `DE-LU`, `AT`, `HB_HOUSTON`. */
      area: string;
      factor: number;
      /** Added after the factor, per kWh without VAT. */
      fee_per_kWh: number;
      vat_percent: number;
    };
