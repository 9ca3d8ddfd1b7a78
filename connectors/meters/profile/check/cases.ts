/** Runs the golden cases of a profile and says in words where expected and got differ. */
import { basename } from 'node:path';
import { nearest } from '../../../../engine/yaml/nearest.ts';
import {
  caseDecoder,
  type GoldenInput,
  type GoldenOutput,
  type GoldenReading,
  readCase,
  runCase,
  sameValue,
} from '../golden.ts';
import type { Profile } from '../profile.ts';
import type { CaseReport, Finding } from './report.ts';

export type CheckedCase = {
  report: CaseReport | null;
  faults: Finding[];
  input: GoldenInput | null;
  expected: GoldenReading[];
};

export async function checkCase(profile: Profile, folder: string): Promise<CheckedCase> {
  const name = basename(folder);
  const where = `testdata/${name}`;
  try {
    const { input, expected } = readCase(folder);
    const faults = [
      ...unheardTopics(profile, input, where),
      ...differences(await runCase(profile, input), expected, where),
    ];
    const report = { name, kind: input.kind, passed: faults.length === 0 };
    return { report, faults, input, expected: expected.readings };
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string };
    const finding = { where, problem: message, ...(remedy ? { remedy } : {}) };
    return { report: null, faults: [finding], input: null, expected: [] };
  }
}

/** Messages that the device of the case may not even publish. */
function unheardTopics(profile: Profile, input: GoldenInput, where: string): Finding[] {
  if (!profile.mqtt || profile.mqtt.bridge) return [];
  const decoder = caseDecoder(profile, input);
  const topics = [...new Set((input.messages ?? []).map(({ topic }) => topic))];
  return topics
    .filter((topic) => !decoder.mayPublish(topic))
    .map((topic) => {
      const meant = nearest(topic, decoder.subscriptions());
      return {
        where: `${where}/input.json`,
        problem: `no topic of the profile matches "${topic}": the device may not publish it`,
        remedy: meant
          ? `The nearest topic is "${meant}".`
          : `The topics are ${decoder.subscriptions().join(', ')}; add it to "topics" or "publishes".`,
      };
    });
}

function differences(got: GoldenOutput, expected: GoldenOutput, folder: string): Finding[] {
  const where = `${folder}/expected.json`;
  const rest = [...got.readings];
  const findings = expected.readings.flatMap((wanted): Finding[] => {
    const index = bestMatch(rest, wanted);
    if (index < 0)
      return [{ where, problem: `${nameOf(wanted)}: expected ${wanted.value}, got nothing`, remedy: NOTHING }];
    const [found] = rest.splice(index, 1);
    return compare(found!, wanted, where);
  });
  for (const found of rest)
    findings.push({
      where,
      problem: `${nameOf(found)}: got ${found.value}, but the case does not expect it`,
      remedy: 'If the device means it, add it to expected.json; otherwise mend the path or the address.',
    });
  if (got.firmware !== expected.firmware)
    findings.push({
      where,
      problem: `firmware: expected ${JSON.stringify(expected.firmware)}, got ${JSON.stringify(got.firmware)}`,
      remedy: 'Look at "firmware" in profile.yaml, or mend expected.json (null where the case does not tell it).',
    });
  return findings;
}

const NOTHING = 'Look at the path or address, and whether the raw value stands under "invalid".';

function bestMatch(readings: readonly GoldenReading[], wanted: GoldenReading): number {
  const same = (reading: GoldenReading) => reading.channel === wanted.channel && reading.quantity === wanted.quantity;
  const exact = readings.findIndex((reading) => same(reading) && reading.at === wanted.at);
  return exact >= 0 ? exact : readings.findIndex(same);
}

function compare(found: GoldenReading, wanted: GoldenReading, where: string): Finding[] {
  const findings: Finding[] = [];
  if (!sameValue(found.value, wanted.value))
    findings.push({
      where,
      problem: `${nameOf(wanted)}: expected ${wanted.value}, got ${found.value}`,
      remedy: hint(found.value, wanted.value),
    });
  if (found.at !== wanted.at)
    findings.push({
      where,
      problem: `${nameOf(wanted)}: expected at ${wanted.at}, got ${found.at}`,
      remedy: 'Look at "time" in profile.yaml: its path, its kind, and whether the payload has a zone.',
    });
  return findings;
}

/** What a wrong value most likely comes from. */
function hint(got: number, expected: number): string {
  const ratio = got / expected;
  if (Math.abs(ratio + 1) < 1e-6) return 'The sign is the other way round: look at "sign".';
  const power = Math.round(Math.log10(Math.abs(ratio)));
  if (power !== 0 && Math.abs(Math.abs(ratio) / 10 ** power - 1) < 1e-6)
    return `It is ${10 ** Math.abs(power)} times too ${power > 0 ? 'large' : 'small'}: look at "unit" and "scale".`;
  if (Math.abs(got - expected) < Math.abs(expected) * 0.01) return 'They differ a little: is expected.json rounded?';
  return 'Look at the address or path, the type, and the word order.';
}

function nameOf({ channel, quantity }: GoldenReading): string {
  return channel === 'main' ? quantity : `${channel} ${quantity}`;
}
