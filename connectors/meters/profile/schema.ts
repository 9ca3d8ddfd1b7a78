/**
 * The one schema of a device profile (`firmware-profiles/<name>/profile.yaml`). A profile is data only: JSON paths,
 * OBIS codes, register addresses, units and factors; there is no scripting. Unknown keys are refused.
 */
import { z } from 'zod';
import { QUANTITIES } from '../../../engine/model/quantity.ts';
import { SUNSPEC_BASE } from './sunspec-base.ts';
import { UNIT_NAMES, unitFactor } from './units.ts';

const quantity = z.enum(Object.keys(QUANTITIES) as [string, ...string[]], {
  error: (issue) => `"${String(issue.input)}" is no quantity; known are ${Object.keys(QUANTITIES).join(', ')}`,
});
const address = z.number().int().min(0).max(0xffff);
const topic = z.string().min(1);

/** What every measurement says, whatever the transport. */
const measurement = {
  channel: z.string().default('main').describe('Channel of the profile that the value belongs to.'),
  quantity: quantity.describe('Quantity of ours; two entries with the same one: the first that has a value wins.'),
  unit: z.enum(UNIT_NAMES).describe("The device's unit; the factor to ours follows from it."),
  scale: z.number().optional().describe('Factor to the unit, e.g. 0.1 for tenths.'),
  sign: z.literal([1, -1]).default(1).describe("−1 where the device counts the other way than the channel's role."),
  invalid: z.array(z.number()).default([]).describe('Raw values that mean "no value" (sentinels).'),
};

/** A unit that fits the quantity; the factor is worked out once, here. */
function withFactor<Entry extends { quantity: string; unit: string; scale?: number; sign: 1 | -1 }>(
  entry: Entry,
  context: z.RefinementCtx,
): Entry & { factor: number } {
  const factor = unitFactor(entry.unit, entry.quantity);
  if (typeof factor === 'number') return { ...entry, factor: factor * (entry.scale ?? 1) * entry.sign };
  context.addIssue({ code: 'custom', path: ['unit'], message: factor });
  return z.NEVER;
}

const paths = z.array(z.string().min(1)).default([]);
const PathSchema = z
  .strictObject({
    ...measurement,
    path: z.string().min(1).describe('JSON path (`a.b[0].c`, keys with dots in quotes: `a."b.c"`), or OBIS code.'),
    plus: paths.describe('Further paths that are added; all must be there.'),
    minus: paths.describe('Paths that are taken off; all must be there.'),
    mbus: z.number().int().optional().describe('DSMR only: M-Bus device type (3 gas, 4 heat, 7 water) for 0-n codes.'),
  })
  .transform(withFactor);

const TimeSchema = z.strictObject({
  path: z.string().min(1),
  kind: z
    .enum(['unix_s', 'unix_ms', 'iso', 'dsmr'])
    .describe('`iso` counts only with a zone; `dsmr` is YYMMDDhhmmss with S or W in Central European time.'),
});

const payload = {
  format: z
    .enum(['json', 'number', 'dsmr', 'sml'])
    .default('json')
    .describe(
      '`dsmr`: a raw P1 telegram; `sml`: an SML file, binary or in hexadecimal. Both have OBIS codes as paths.',
    ),
  time: TimeSchema.optional().describe('Where the payload says when it was measured; else the time of arrival counts.'),
  measurements: z.array(PathSchema).default([]),
};

/** Firmware versions: the first the profile was made for, and the first it was not made for. */
const RangeSchema = z.strictObject({ from: z.string().optional(), below: z.string().optional() });

const DefaultsSchema = z.strictObject({
  topic: z.string().optional(),
  url: z.string().optional(),
  port: z.number().int().optional(),
  unit: z.number().int().optional(),
  baud: z.number().int().optional(),
  parity: z.enum(['none', 'even', 'odd']).optional(),
  stop_bits: z.literal([1, 2]).optional(),
  poll_s: z.number().positive().optional(),
});

const MqttSchema = z.strictObject({
  topics: z
    .array(z.strictObject({ topic: topic.describe('`{topic}` stands for the topic of the device.'), ...payload }))
    .default([]),
  sums: z
    .array(
      z
        .strictObject({
          ...measurement,
          of: z.array(topic).min(2).describe('Topics with a number each; the sum is made when the last one comes.'),
          within_s: z.number().positive().default(60).describe('The other parts must not be older.'),
        })
        .transform(withFactor),
    )
    .default([])
    .describe('Values that the device sends in parts on several topics.'),
  bridge: z
    .boolean()
    .default(false)
    .describe('The credential of a program that publishes for many devices (Zigbee2MQTT): topics decide whose it is.'),
  publishes: z.array(topic).default([]).describe('Topic filters the device may publish to without being decoded.'),
  subscribes: z.array(topic).default([]).describe('Topic filters the device may subscribe to.'),
  firmware: z.strictObject({ topic, path: z.string().optional() }).optional(),
});

export const REGISTER_TYPES = [
  'u16',
  's16',
  'u32',
  's32',
  'u64',
  's64',
  'float32',
  'float64',
  'bcd16',
  'bcd32',
  'string',
] as const;

const order = z.enum(['big', 'little']);
const RegisterSchema = z
  .strictObject({
    ...measurement,
    at: address.describe('Address as it goes over the wire (counted from 0, not 30001 or 40001).'),
    type: z.enum(REGISTER_TYPES).exclude(['string']),
    function: z.literal([3, 4]).optional().describe('Function code where it differs from the common one.'),
    word_order: order.optional(),
    byte_order: order.optional(),
    plus_at: z.array(address).default([]).describe('Registers of the same type that are added (tariffs, phases).'),
    minus_at: z.array(address).default([]).describe('Registers of the same type that are taken off (import − export).'),
    scale_at: address.optional().describe('Register with the power of ten (signed 16 bit).'),
  })
  .transform(withFactor);

const PointSchema = z
  .strictObject({
    ...measurement,
    point: z.string().describe('Name of the point in the SunSpec model.'),
    models: z.array(z.number().int()).min(1).describe('Models that have it; the first one found in the device counts.'),
    module: z.number().int().min(1).optional().describe('Number of the repeating block (model 160), from 1.'),
  })
  .transform(withFactor);

const VersionSchema = z.strictObject({
  at: address.optional(),
  type: z.enum(REGISTER_TYPES).default('u16'),
  length: z.number().int().min(1).max(32).optional().describe('Registers of a string.'),
  function: z.literal([3, 4]).optional(),
  bits: z.array(z.number().int()).optional().describe('Widths in bits of the parts, from the left; negative: skipped.'),
  digits: z.array(z.number().int().positive()).optional().describe('Decimal digits of the parts, from the left.'),
  sunspec: z.boolean().optional().describe('From the SunSpec common model.'),
});

const ModbusSchema = z
  .strictObject({
    function: z.literal([3, 4]).default(3).describe('Function code of the reads: 3 holding, 4 input registers.'),
    word_order: order.default('big'),
    byte_order: order.default('big'),
    max_registers: z.number().int().min(1).max(125).default(100).describe('Most registers in one request.'),
    max_gap: z.number().int().min(0).max(124).default(8).describe('Unneeded registers that may be read along.'),
    forbidden: z
      .array(z.tuple([address, address]))
      .default([])
      .describe('Ranges, ends included, never to be read.'),
    registers: z.array(RegisterSchema).default([]),
    sunspec: z
      .strictObject({
        bases: z.array(address).default([40000, 50000, 0]).describe('Where the map may begin.'),
        use: z.enum(['inverter', 'meter', 'none']).default('none').describe('Points that all such devices have.'),
        points: z.array(PointSchema).default([]),
      })
      .transform(({ use, bases, points }) => ({
        bases,
        points: [...SUNSPEC_BASE[use].map((point) => PointSchema.parse(point)), ...points],
      }))
      .optional(),
    firmware: VersionSchema.optional(),
  })
  .refine((modbus) => modbus.registers.length > 0 || modbus.sunspec, 'name registers or sunspec points');

const HttpSchema = z.strictObject({
  auth: z
    .enum(['bearer', 'basic', 'none'])
    .default('bearer')
    .describe('What a token is sent as; basic: `user:password`.'),
  headers: z.record(z.string(), z.string()).default({}).describe('Further headers, such as the version of an API.'),
  certificate: z
    .enum(['public', 'own'])
    .default('public')
    .describe('`own`: over HTTPS the device shows a certificate of its own, which nobody vouches for.'),
  requests: z.array(z.strictObject({ path: z.string().startsWith('/'), ...payload })).min(1),
  firmware: z.strictObject({ request: z.string().startsWith('/'), path: z.string() }).optional(),
});

const IdentifySchema = z.strictObject({
  registers: z
    .array(
      z.strictObject({
        at: address,
        type: z.enum(REGISTER_TYPES).default('u16'),
        length: z.number().int().min(1).max(32).optional().describe('Registers of a string.'),
        function: z.literal([3, 4]).default(3),
        is: z
          .array(z.union([z.number(), z.string().min(1)]))
          .min(1)
          .describe('Values of which it holds one; a text counts by its beginning.'),
      }),
    )
    .default([])
    .describe('Modbus registers that tell this model from others: all must hold.'),
  vendor: z.string().min(1).optional().describe('Part of the maker as the device names it (function 43, SunSpec).'),
  product: z.array(z.string().min(1)).default([]).describe('Parts of the product name of which it holds one.'),
  http: z
    .strictObject({
      path: z.string().startsWith('/').describe('Where the device says over HTTP what it is.'),
      is: z
        .record(z.string(), z.array(z.union([z.string(), z.number()])).min(1))
        .describe('Values by JSON path; "*" is any.'),
    })
    .optional(),
});

const ChannelSchema = z.strictObject({
  label: z.string().describe('Name that a new meter point gets.'),
  role: z.enum(['grid', 'generation', 'battery', 'load', 'sub-meter']),
  rated_power_W: z.number().positive().optional().describe('Largest power that the device can measure or give.'),
});

export const ProfileSchema = z
  .strictObject({
    vendor: z.string().min(1),
    model: z.string().min(1),
    transport: z.enum(['mqtt', 'modbus', 'http']),
    channels: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), ChannelSchema).default({}),
    mqtt: MqttSchema.optional(),
    modbus: ModbusSchema.optional(),
    http: HttpSchema.optional(),
    identify: IdentifySchema.optional().describe('How the search for devices recognises this model.'),
    made_for: RangeSchema.optional().describe('Firmware versions the profile was made for.'),
    defaults: DefaultsSchema.default({}).describe('Fill the form.'),
    notes: z.string().nullable().default(null).describe('What to set on the device, shown beside the form.'),
  })
  .superRefine((profile, context) => {
    for (const kind of ['mqtt', 'modbus', 'http'] as const)
      if ((profile.transport === kind) !== (profile[kind] !== undefined))
        context.addIssue({ code: 'custom', path: [kind], message: `belongs to transport ${kind}, and only there` });
    for (const channel of measuredChannels(profile))
      if (!Object.hasOwn(profile.channels, channel))
        context.addIssue({
          code: 'custom',
          path: ['channels'],
          message: `has no channel "${channel}", but a value names it`,
        });
  });

export type ProfileSpec = z.output<typeof ProfileSchema>;
export type MqttSpec = z.output<typeof MqttSchema>;
export type ModbusSpec = z.output<typeof ModbusSchema>;
export type HttpSpec = z.output<typeof HttpSchema>;
export type RegisterSpec = z.output<typeof RegisterSchema>;
export type PointSpec = z.output<typeof PointSchema>;
export type PathSpec = z.output<typeof PathSchema>;
export type TimeSpec = z.output<typeof TimeSchema>;
export type IdentifySpec = z.output<typeof IdentifySchema>;
export type VersionSpec = z.output<typeof VersionSchema>;
export type RegisterType = (typeof REGISTER_TYPES)[number];

/** All entries of a profile that yield a value, whatever the transport. */
export function measurementsOf(profile: {
  mqtt?: MqttSpec | undefined;
  modbus?: ModbusSpec | undefined;
  http?: HttpSpec | undefined;
}): readonly { channel: string; quantity: string }[] {
  const { mqtt, modbus, http } = profile;
  return [
    ...(mqtt ? [...mqtt.topics.flatMap((entry) => entry.measurements), ...mqtt.sums] : []),
    ...(modbus ? [...modbus.registers, ...(modbus.sunspec?.points ?? [])] : []),
    ...(http ? http.requests.flatMap((request) => request.measurements) : []),
  ];
}

function measuredChannels(profile: Parameters<typeof measurementsOf>[0]): Set<string> {
  return new Set(measurementsOf(profile).map((entry) => entry.channel));
}
