/** Random doings of all accounts at one broker, among them the ones that people who want to see more would try. */
import fc from 'fast-check';
import { ACCOUNTS } from './rights-oracle.ts';

export type Doing = { who: number; topic: string; qos: 0 | 1 | 2; retain: boolean; foreign_meter: boolean };
export type Episode = {
  /** One for each account. */
  connections: { client_id: string; clean: boolean; will: { topic: string; retain: boolean } | null }[];
  filters: { who: number; filter: string; qos: 0 | 1 | 2 }[];
  publishes: Doing[];
  /** Takes the client id of another account. */
  takeovers: { who: number; of: number; clean: boolean }[];
  /** Subscriptions after everything was said: for what was retained. */
  late: { who: number; filter: string }[];
};

const LEVELS = [
  ...['meters', 'a', 'a.b', 'ha', 'readings', 'command', 'status', 'state', 'm1', 'ζ'],
  ...['homeassistant', 'homeassistant-other', 'luna', 'luna-other', 'zigbee2mqtt', '$luna', 'sink'],
  ...['default', 'other', '$SYS', '$share', 'group', '', '', '..', ' '],
];
/** What the rights are about: random levels alone would hardly ever meet them. */
const BEGINNINGS = [
  ...['meters/a', 'meters/a.b', 'meters/readings', 'meters/ha', 'meters/luna', 'meters/zigbee2mqtt'],
  ...['homeassistant', 'homeassistant-other', 'luna', 'luna-other', 'zigbee2mqtt', '$SYS'],
  ...['$share/group/meters/a', '$share/group/luna', 'default/meters/a', 'other/meters/a', '/meters/a'],
];
const CLIENT_IDS = [
  ...['x', 'x', 'y', 'a/x', 'default/a/x', 'other/a/x', '../a/x', 'a', '%2F', 'ü', ' ', ':', 'x:y'],
  'x'.repeat(1000),
];

const who = fc.nat(ACCOUNTS.length - 1);
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const odd = fc.oneof(fc.constant('l'.repeat(3000)), fc.constant('n\0l'), fc.string({ maxLength: 6 }));
const level = fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...LEVELS) }, { weight: 1, arbitrary: odd });
const wildcard = fc.constantFrom('+', '#', '+', 'a+', '#/x');
/** In its place stands the account's own beginning. */
export const OWN = '@';
const begin = fc.oneof(
  { weight: 6, arbitrary: fc.constant(OWN) },
  { weight: 4, arbitrary: fc.constantFrom(...BEGINNINGS) },
  { weight: 1, arbitrary: fc.constantFrom(...LEVELS) },
);
const pathOf = (one: fc.Arbitrary<string>) =>
  fc.tuple(begin, fc.array(one, { maxLength: 3 })).map(([first, rest]) => [first, ...rest].join('/'));
const deep = fc.nat(400).map((levels) => `meters/a/${'x/'.repeat(levels)}`);
const topic = fc.oneof(
  { weight: 40, arbitrary: pathOf(level) },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: pathOf(wildcard) },
  { weight: 6, arbitrary: fc.constantFrom(`${OWN}/readings`, 'meters/a/readings', 'meters/readings/readings') },
);
const filter = fc.oneof(
  {
    weight: 40,
    arbitrary: pathOf(fc.oneof({ weight: 2, arbitrary: level }, { weight: 1, arbitrary: fc.constantFrom('+', '#') })),
  },
  { weight: 4, arbitrary: fc.constantFrom('#', '+/#', '+/a/#', 'meters/+/readings', '+/+/+', '/#', '$SYS/#') },
  { weight: 2, arbitrary: pathOf(wildcard) },
  { weight: 1, arbitrary: deep },
);
/** Words with the same meaning for most accounts: what they may see must not depend on luck. */
const common = fc.constantFrom(
  `${OWN}/#`,
  `${OWN}/+`,
  'luna/#',
  'luna-other/#',
  'homeassistant/#',
  'homeassistant/status',
);

const will = fc.option(fc.record({ topic, retain: fc.boolean() }));
const connection = fc.record({ client_id: fc.constantFrom(...CLIENT_IDS), clean: fc.boolean(), will });

export const episode: fc.Arbitrary<Episode> = fc.record({
  connections: fc.array(connection, { minLength: ACCOUNTS.length, maxLength: ACCOUNTS.length }),
  filters: fc.array(fc.record({ who, filter: fc.oneof(filter, common), qos }), { minLength: 20, maxLength: 40 }),
  publishes: fc.array(fc.record({ who, topic, qos, retain: fc.boolean(), foreign_meter: fc.boolean() }), {
    minLength: 30,
    maxLength: 60,
  }),
  takeovers: fc.array(fc.record({ who, of: who, clean: fc.boolean() }), { minLength: 2, maxLength: 5 }),
  late: fc.array(fc.record({ who, filter: fc.oneof(filter, common) }), { minLength: 8, maxLength: 16 }),
});
