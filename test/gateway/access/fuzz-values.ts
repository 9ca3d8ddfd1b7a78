/** Values that programs stumble over, and requests made of them: everything follows from the random numbers given. */

export type Random = () => number;
export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

const LONG = 'x'.repeat(5000);
export const TEXTS: readonly string[] = [
  ...['', ' ', '\u0000', 'a\u0000b', '\ud800', 'x\udfff', '\u202e\u0007\u001b[31m', '\ufeff', 'é\u0301', '👩‍👩‍👧', 'ﷺ'],
  ...[
    '../../etc/passwd',
    '..%2f..%2f',
    '%00',
    '%',
    '%zz',
    '\\\\host\\share',
    '/',
    '//',
    '.',
    '..',
    '~',
    'a/b',
    'a\nb',
    'a\r\nx: y',
  ],
  ...[
    "'; drop table site; --",
    `" or ""="`,
    '$1',
    '$(id)',

    '{{7*7}}',
    '<script>alert(1)</script>',
    '%s%n',
    '\\',
    '*',
    '#',
    '+',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'null',
    'undefined',
    'NaN',
    'Infinity',
    'true',
    '[]',
    '{}',
    '[object Object]',
  ],
  ...[
    '0',
    '-1',
    '-0',
    '1e999',
    '1e-999',
    '0x10',
    '9007199254740993',
    '99999999999999999999',
    '2147483648',
    '-2147483649',
    '1.5',
  ],
  ...[
    '2026-13-45',
    '0000-01-01',
    '9999-12-31T23:59:59Z',
    '+275760-09-13T00:00:00Z',
    '-271821-04-20T00:00:00Z',
    '+275760-09-13T00:00:01Z',
  ],
  ...[
    '2026-03-29T02:30:00',
    '1000000000000000',
    '-1000000000000000',
    '8640000000000001',
    '99999999999999',
    '-62135596800000',
    '2026-02-30',
  ],
  ...[
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    'default',
    'other',
    'twin',
    'admin',
    'all',
    LONG,
  ],
];
const NUMBERS: readonly number[] = [
  ...[
    0,
    -0,
    1,
    -1,
    0.1,
    1e15,
    -1e15,
    8.64e15,
    8.64e15 + 1,
    1e21,
    1e308,
    -1e308,
    5e-324,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 53,
    2 ** 63,
  ],
  ...[253402300800000, -62135596800001, Date.parse('2026-03-02T00:00:00Z')],
];
/** Where a value is an address, these alone: nothing is to go out. */
const ADDRESSES = [
  '127.0.0.1',
  'http://127.0.0.1:1/',
  'http://[::1',
  'mqtt://',
  'file:///etc/passwd',
  '',
  '\u0000',
  '127.0.0.1/32',
];
const ADDRESS_KEY = /host|url|range|address|server|path|broker|topic|device_id/i;

export function anyText(random: Random): string {
  if (random() < 0.8) return pick(random, TEXTS);
  return Array.from({ length: Math.floor(random() * 30) }, () => String.fromCharCode(random() * 0xffff)).join('');
}

/** As JSON: null is missing, arrays and objects are nested a little. */
export function anyValue(random: Random, depth = 0): unknown {
  const kind = random();
  if (kind < 0.35) return anyText(random);
  if (kind < 0.6) return pick(random, NUMBERS);
  if (kind < 0.75 || depth > 3) return pick(random, [null, true, false, [], {}, '']);
  if (kind < 0.85) return Array.from({ length: Math.floor(random() * 5) }, () => anyValue(random, depth + 1));
  const entries = Array.from({ length: Math.floor(random() * 5) }, () => [
    anyText(random),
    anyValue(random, depth + 1),
  ]);
  return Object.fromEntries(entries);
}

export type Schema = {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: Schema | boolean;
  example?: unknown;
  minimum?: number;
  maximum?: number;
  format?: string;
};
export type Components = Record<string, Schema>;

/** A value that the schema allows, or nearly. */
export function nearValue(random: Random, schema: Schema, components: Components, key = '', depth = 0): unknown {
  if (depth > 6) return null;
  if (ADDRESS_KEY.test(key) && random() < 0.9) return pick(random, ADDRESSES);
  const of = (one: Schema, name = key) => nearValue(random, one, components, name, depth + 1);
  if (schema.$ref) return of(components[schema.$ref.split('/').at(-1)!] ?? {});
  if (schema.example !== undefined && random() < 0.5 && typeof schema.example !== 'object') return schema.example;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return pick(random, schema.enum);
  const choice = schema.anyOf ?? schema.oneOf;
  if (choice) return of(pick(random, choice));
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((one) => of(one)));
  const type = Array.isArray(schema.type) ? pick(random, schema.type) : schema.type;
  if (schema.properties || type === 'object') {
    const entries = Object.entries(schema.properties ?? {})
      .filter(([name]) => schema.required?.includes(name) || random() < 0.6)
      .map(([name, one]) => [name, of(one, name)] as const);
    return Object.fromEntries(entries);
  }
  if (type === 'array') return Array.from({ length: Math.floor(random() * 4) }, () => of(schema.items ?? {}));
  if (type === 'integer' || type === 'number') return numberOf(random, schema);
  if (type === 'boolean') return random() < 0.5;
  if (type === 'null') return null;
  return random() < 0.5
    ? pick(random, ['twin', 'power_W', 'main', 'Europe/Berlin', 'DE', 'EUR', '2026-03-02T00:00:00Z'])
    : anyText(random);
}

function numberOf(random: Random, { minimum = 0, maximum = 1000, type }: Schema): number {
  if (random() < 0.3) return pick(random, NUMBERS);
  const value = minimum + random() * (Math.min(maximum, minimum + 1e6) - minimum);
  return type === 'integer' ? Math.floor(value) : value;
}

/** Puts something else into one place of a value, or a key where none belongs. */
export function mutated(random: Random, value: unknown): unknown {
  if (random() < 0.15 || value === null || typeof value !== 'object') return anyValue(random);
  if (Array.isArray(value)) {
    if (value.length === 0 || random() < 0.2) return [...value, anyValue(random)];
    const at = Math.floor(random() * value.length);
    return value.with(at, mutated(random, value[at]));
  }
  const keys = Object.keys(value);
  if (keys.length === 0 || random() < 0.2)
    return {
      ...value,
      [pick(random, ['__proto__', 'constructor', 'extra', 'tenant', 'tenant_id', '\u0000'])]: anyValue(random),
    };
  const key = pick(random, keys);
  const rest = value as Record<string, unknown>;
  if (random() < 0.2) return Object.fromEntries(Object.entries(rest).filter(([name]) => name !== key));
  // Nothing is to go out, so addresses stay.
  if (ADDRESS_KEY.test(key)) return { ...rest, [key]: pick(random, ADDRESSES) };
  return { ...rest, [key]: mutated(random, rest[key]) };
}
