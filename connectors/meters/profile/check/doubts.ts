/** What is allowed but looks wrong: values that no such device gives, signs, quantities that no case shows. */
import { QUANTITIES } from '../../../../engine/model/quantity.ts';
import { caseDecoder, type GoldenInput, type GoldenReading } from '../golden.ts';
import type { Profile } from '../profile.ts';
import { measurementsOf } from '../schema.ts';
import type { Finding } from './report.ts';

type Seen = { where: string; input: GoldenInput; readings: readonly GoldenReading[] };

/**
 * @param cases the golden cases with what they expect; null while one of them fails, because what a wrong case makes
 * look wrong is not worth a second line.
 */
export function findDoubts(profile: Profile, cases: readonly Seen[] | null): Finding[] {
  return [...manualNumbers(profile), ...(cases ? caseDoubts(profile, cases) : [])];
}

function caseDoubts(profile: Profile, cases: readonly Seen[]): Finding[] {
  return [
    ...cases.flatMap(({ where, readings }) =>
      Object.keys(profile.channels).flatMap((channel) => channelDoubts(profile, channel, readings, where)),
    ),
    ...signDoubts(profile, cases),
    ...unshown(profile, cases),
    ...silentTopics(profile, cases),
  ];
}

type Values = ReadonlyMap<string, number>;

function channelDoubts(profile: Profile, channel: string, readings: Seen['readings'], where: string): Finding[] {
  const values: Values = new Map(readings.filter((r) => r.channel === channel).map((r) => [r.quantity, r.value]));
  const doubts: string[] = [];
  for (const [quantity, value] of values) {
    const info = QUANTITIES[quantity];
    if (info && (value < info.min || value > info.max))
      doubts.push(`${quantity} of ${value} lies outside ${info.min} to ${info.max} and would be flagged`);
    if (/^voltage_/.test(quantity) && value !== 0 && (value < 20 || value > 60_000))
      doubts.push(`${quantity} of ${value} V is no voltage that one measures: look at "scale"`);
    if (quantity === 'frequency_Hz' && value !== 0 && (value < 40 || value > 70))
      doubts.push(`frequency_Hz of ${value} is no mains frequency: look at "scale"`);
  }
  doubts.push(...powerDoubts(values, profile.channels[channel]?.rated_power_W));
  return doubts.map((problem) => ({ where: `${where} (${channel})`, problem }));
}

function powerDoubts(values: Values, rated_W: number | undefined): string[] {
  const doubts: string[] = [];
  const power = values.get('power_W');
  if (power !== undefined && rated_W !== undefined && Math.abs(power) > 1.5 * rated_W)
    doubts.push(`power_W of ${power} is far above the rated ${rated_W} W: look at "unit", or at rated_power_W`);
  const phases = [1, 2, 3].map((i) => values.get(`power_l${i}_W`));
  if (power !== undefined && phases.every((value) => value !== undefined)) {
    const sum = phases.reduce((total, value) => total + value!, 0);
    if (Math.abs(sum - power) > Math.max(30, 0.1 * Math.abs(power)))
      doubts.push(
        `the phases add up to ${Number(sum.toPrecision(6))} W, but power_W is ${power}: look at units and signs`,
      );
  }
  for (const i of [1, 2, 3]) {
    const [phase, volts, amperes] = ['power', 'voltage', 'current'].map((stem, k) =>
      values.get(`${stem}_l${i}_${['W', 'V', 'A'][k]}`),
    );
    const most_W = Math.abs((volts ?? 0) * (amperes ?? 0));
    if (phase !== undefined && most_W > 0 && Math.abs(phase) > 1.2 * most_W + 100)
      doubts.push(`power_l${i}_W of ${phase} is more than ${volts} V × ${amperes} A give: look at their units`);
  }
  return doubts;
}

/** Generators that only draw, loads that only give, generators that count as import. */
function signDoubts(profile: Profile, cases: readonly Seen[]): Finding[] {
  return Object.entries(profile.channels).flatMap(([channel, { role }]) => {
    const measured = measurementsOf(profile).filter((entry) => entry.channel === channel);
    const has = (quantity: string) => measured.some((entry) => entry.quantity === quantity);
    const where = `profile.yaml (${channel}, ${role})`;
    const powers = cases.flatMap(({ readings }) =>
      readings.filter((r) => r.channel === channel && r.quantity === 'power_W').map(({ value }) => value),
    );
    const negative = powers.length > 0 && powers.every((value) => value < 0);
    const doubts: Finding[] = [];
    if (negative && (role === 'generation' || role === 'load'))
      doubts.push({
        where,
        problem: `power_W is negative in every case, but + is what a ${role === 'load' ? 'load draws' : 'generator gives'}`,
        remedy: 'Set "sign: -1", or add a case that shows it positive.',
      });
    if (role === 'generation' && has('import_kWh') && !has('export_kWh'))
      doubts.push({ where, problem: 'what a generator gives is counted as export_kWh, not import_kWh' });
    return doubts;
  });
}

function unshown(profile: Profile, cases: readonly Seen[]): Finding[] {
  const shown = new Set(cases.flatMap(({ readings }) => readings.map((r) => `${r.channel} ${r.quantity}`)));
  const missing = [...new Set(measurementsOf(profile).map((entry) => `${entry.channel} ${entry.quantity}`))].filter(
    (name) => !shown.has(name),
  );
  if (missing.length === 0 || cases.length === 0) return [];
  const names = missing.map((name) => name.replace(/^main /, ''));
  return [{ where: 'testdata', problem: `no case shows ${names.join(', ')}`, remedy: 'Add a case that has them.' }];
}

function silentTopics(profile: Profile, cases: readonly Seen[]): Finding[] {
  if (!profile.mqtt || cases.length === 0) return [];
  const heard = cases.flatMap(({ input }) => (input.messages ?? []).map(({ topic }) => topic));
  const silent = profile.mqtt.topics.filter(({ topic }) =>
    cases.every(({ input }) => {
      const only = {
        ...profile,
        mqtt: {
          ...profile.mqtt!,
          topics: [{ topic, format: 'number' as const, measurements: [] }],
          sums: [],
          publishes: [],
        },
      };
      const decoder = caseDecoder(only, input);
      return !heard.some((name) => decoder.mayPublish(name));
    }),
  );
  if (silent.length === 0) return [];
  const names = silent.map(({ topic }) => `"${topic}"`).join(', ');
  return [
    { where: 'testdata', problem: `no case sends ${names}`, remedy: 'A topic that is never sent may be mistyped.' },
  ];
}

/** Manuals count holding registers from 40001 and input registers from 30001; the wire counts from 0. */
function manualNumbers({ modbus }: Profile): Finding[] {
  if (!modbus) return [];
  const first = modbus.function === 3 ? 40001 : 30001;
  const lowest = Math.min(...modbus.registers.map(({ at }) => at));
  if (lowest < first || lowest > first + 20) return [];
  return [
    {
      where: 'profile.yaml (modbus)',
      problem: `the addresses begin at ${lowest}, as manuals write register ${lowest - first}`,
      remedy: `On the wire they count from 0: write ${lowest - first} if the manual says ${lowest}.`,
    },
  ];
}
