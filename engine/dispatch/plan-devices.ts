/** The movable devices of a site as people describe them: what stays the same from plan to plan. */
import { z } from 'zod';

const power_W = (what: string) => z.number().positive().max(1e8).describe(what);
const percent = (what: string) => z.number().min(0).max(100).describe(what);
const energy_kWh = (what: string) => z.number().positive().max(1e7).describe(what);
const efficiency = z.number().gt(0.2).max(1);
const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'is no time such as 07:30')
  .describe('Local time of day.');
const weekdays = z.array(z.int().min(1).max(7)).min(1).describe('1 is Monday, 7 Sunday.');
const meter = z.string().min(1).max(100).nullable().default(null);
const meterIn = meter.describe('Meter point that measures it; its usual course is taken out of the load forecast.');

const Running = z
  .strictObject({
    min_on_min: z.number().min(0).max(1440).default(0),
    min_off_min: z.number().min(0).max(1440).default(0),
    max_starts: z.int().min(0).max(1000).nullable().default(null).describe('Within one plan; null: any number.'),
  })
  .nullable()
  .default(null);

/** How setpoints reach the device; nothing is written before an admin switches `writing` on. */
const Control = z
  .discriminatedUnion('way', [
    z.strictObject({ way: z.literal('none') }),
    z.strictObject({
      way: z.literal('mqtt'),
      writing: z.boolean().default(false),
      device: z.string().min(1).describe('Device of the box whose MQTT credential reads the setpoints.'),
      safe_W: z.number().default(0).describe('Power to fall back to; + discharges, − charges or draws.'),
    }),
    z.strictObject({
      way: z.literal('modbus'),
      writing: z.boolean().default(false),
      device: z.string().min(1).describe('Device of the box with a Modbus connection.'),
      register: z.int().min(0).max(65_535).describe('Holding register, as the protocol counts (from 0).'),
      type: z.enum(['int16', 'uint16', 'int32']).default('int16'),
      W_per_unit: z
        .number()
        .refine((value) => value !== 0, 'must not be 0')
        .default(1)
        .describe('Negative turns the sign round.'),
      safe_W: z.number().default(0),
    }),
  ])
  .default({ way: 'none' });

const Section14a = z
  .strictObject({ kind: z.enum(['charger', 'battery', 'heat-pump', 'cooling']), power_W: power_W('Connected power.') })
  .nullable()
  .default(null)
  .describe('Controllable under §14a EnWG, as what and with which connected power; null: it is not.');

const common = {
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be lower case letters, digits and -'),
  name: z.string().trim().min(1).max(80),
  control: Control,
  section_14a: Section14a,
};

export const BatterySettings = z.strictObject({
  kind: z.literal('battery'),
  ...common,
  capacity_kWh: energy_kWh('Usable capacity.'),
  reserve_percent: percent('Kept for emergencies.').default(10),
  max_percent: percent('Never charged above.').default(100),
  charge_W: power_W('Most charging power.'),
  discharge_W: power_W('Most discharging power.'),
  charge_efficiency: efficiency.default(0.95),
  discharge_efficiency: efficiency.default(0.95),
  degradation_per_kWh: z.number().min(0).max(100).default(0).describe('Wear for each kWh discharged.'),
  charge_from_grid: z.boolean().default(true),
  discharge_to_grid: z.boolean().default(false),
  soc_meter: z.string().min(1).max(100).describe('Meter point with its state of charge (soc_percent).'),
});

export const VehicleSettings = z.strictObject({
  kind: z.literal('vehicle'),
  ...common,
  capacity_kWh: energy_kWh("The car's battery."),
  charge_W: power_W('Most charging power.'),
  min_charge_W: z.number().min(0).max(1e6).default(0).describe('Charging is off or at least this.'),
  discharge_W: z.number().min(0).max(1e6).default(0).describe('Power back to the site; 0: none.'),
  charge_efficiency: efficiency.default(0.9),
  discharge_efficiency: efficiency.default(0.9),
  degradation_per_kWh: z.number().min(0).max(100).default(0),
  soc_meter: meter.describe(
    'Meter point with its state of charge; without it the car is taken to arrive as said below.',
  ),
  meter: meterIn,
  arrival_percent: percent('State of charge when it comes back.'),
  stays: z
    .array(z.strictObject({ weekdays, arrive: time, depart: time, goal_percent: percent('At departure.') }))
    .min(1)
    .max(20)
    .describe('Times at the charger; a departure before the arrival is on the next day.'),
});

export const HeatPumpSettings = z.strictObject({
  kind: z.literal('heat-pump'),
  ...common,
  electric_W: power_W('Most electric power.'),
  min_W: z.number().min(0).max(1e7).default(0).describe('Least power while it runs.'),
  store_kWh: energy_kWh('Heat that the tank, or the building between its limits, can hold.'),
  store_min_kWh: z.number().min(0).max(1e7).default(0),
  start_percent: percent('How full the store is taken to be before the first plan.'),
  keep_per_hour: z.number().gt(0).max(1).default(0.99),
  heat_loss_W_per_K: z.number().positive().max(1e6).describe('Heat that the building needs for each degree outside.'),
  heating_below_C: z.number().min(0).max(30).default(16).describe('Heat is needed below this outside temperature.'),
  supply_C: z.number().min(20).max(80).default(40),
  quality: z.number().min(0.2).max(0.7).default(0.45).describe('Share of the Carnot efficiency that it reaches.'),
  meter: meterIn,
  running: Running,
});

export const LoadSettings = z.strictObject({
  kind: z.literal('load'),
  ...common,
  power_W: power_W('Power while it runs.'),
  min_W: z.number().min(0).max(1e8).nullable().default(null).describe('Least power while it runs; null: on or off.'),
  windows: z
    .array(z.strictObject({ weekdays, from: time, to: time, energy_kWh: energy_kWh('To be taken within the window.') }))
    .min(1)
    .max(20),
  meter: meterIn,
  running: Running,
});

export const PlanDeviceSchema = z.discriminatedUnion('kind', [
  BatterySettings,
  VehicleSettings,
  HeatPumpSettings,
  LoadSettings,
]);
export type PlanDevice = z.infer<typeof PlanDeviceSchema>;
export type DeviceOf<Kind extends PlanDevice['kind']> = Extract<PlanDevice, { kind: Kind }>;

const softPrice = z.number().min(0).max(10_000);
export const PlanSettingsSchema = z.strictObject({
  horizon_h: z.int().min(6).max(720).default(48).describe('At most; a plan ends where prices or forecasts do.'),
  weigh: z
    .union([z.literal('expected'), z.number().gt(0).lt(1)])
    .default('expected')
    .describe(
      'Plan with the mean of the forecasts, or with this quantile of the load (and its counterpart of generation).',
    ),
  curtailable: z.boolean().default(false).describe('Whether generation may be reduced.'),
  import_limit_W: z.number().min(0).max(1e9).nullable().default(null).describe('Of the grid connection; null: none.'),
  export_limit_W: z.number().min(0).max(1e9).nullable().default(null),
  soft: z
    .strictObject({
      import_per_kWh: softPrice.default(10),
      export_per_kWh: softPrice.default(10),
      goal_per_kWh: softPrice.default(5),
      reserve_per_kWh: softPrice.default(3),
      heat_per_kWh: softPrice.default(5),
      load_per_kWh: softPrice.default(5),
    })
    .default({
      ...{ import_per_kWh: 10, export_per_kWh: 10, goal_per_kWh: 5 },
      ...{ reserve_per_kWh: 3, heat_per_kWh: 5, load_per_kWh: 5 },
    })
    .describe('What it costs in a plan to let a limit give way.'),
});
export type PlanSettings = z.infer<typeof PlanSettingsSchema>;
