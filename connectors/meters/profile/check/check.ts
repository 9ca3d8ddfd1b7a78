/** Everything that can be said of a profile folder without its device: what `luna profile test` prints. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { NotFoundError } from '../../../../engine/errors.ts';
import { caseFolders } from '../catalogue.ts';
import type { Profile } from '../profile.ts';
import type { ProfileSpec } from '../schema.ts';
import { isVerified, unverifiedQuantities } from '../verified.ts';
import { type CheckedCase, checkCase } from './cases.ts';
import { findDoubts } from './doubts.ts';
import type { Finding, ProfileReport } from './report.ts';
import { checkSchema } from './schema-faults.ts';
import { checkStructure } from './structure.ts';

/**
 * @param folder `firmware-profiles/<vendor>-<model>`.
 * @throws NotFoundError when there is no such folder, or no profile.yaml in it.
 */
export async function checkProfile(folder: string): Promise<ProfileReport> {
  const path = resolve(folder);
  const file = join(path, 'profile.yaml');
  if (!existsSync(path) || !statSync(path).isDirectory())
    throw new NotFoundError(
      `There is no folder ${folder}.`,
      'Name the folder of a profile, e.g. firmware-profiles/shelly-3em.',
    );
  if (!existsSync(file))
    throw new NotFoundError(`${folder} has no profile.yaml.`, 'Copy firmware-profiles/_blueprint to begin with.');
  const name = basename(path);
  const { spec, lines, faults } = checkSchema(readFileSync(file, 'utf8'));
  const around = [...checkName(name), ...checkReadme(path)];
  if (!spec) return { name, faults: [...faults, ...around], doubts: [], cases: [], verified: false, unverified: [] };
  const structure = [...checkStructure(spec, lines), ...checkForm(spec)];
  // Paths that cannot be read would fail in every case once more.
  const runnable = structure.length === 0 || spec.transport === 'modbus';
  const cases = runnable ? await runCases({ ...spec, name, verified: false }, path) : [];
  return report(name, spec, [...structure, ...around], cases, runnable && caseFolders(path).length === 0);
}

function runCases(profile: Profile, path: string): Promise<CheckedCase[]> {
  return Promise.all(caseFolders(path).map((folder) => checkCase(profile, folder)));
}

function report(
  name: string,
  spec: ProfileSpec,
  faults: Finding[],
  cases: CheckedCase[],
  none: boolean,
): ProfileReport {
  const reports = cases.flatMap(({ report: one }) => one ?? []);
  const seen = cases.flatMap(({ report: one, input, expected }) =>
    one && input ? [{ where: `testdata/${one.name}`, input, readings: expected }] : [],
  );
  const shown = cases.flatMap(({ report: one, expected }) =>
    one?.passed ? [{ kind: one.kind, readings: expected }] : [],
  );
  const allPassed = reports.length === cases.length && reports.every((one) => one.passed);
  const measures = Object.keys(spec.channels).length > 0;
  return {
    name,
    faults: [...faults, ...cases.flatMap((one) => one.faults), ...(none && measures ? [NO_CASE] : [])],
    doubts: findDoubts({ ...spec, name, verified: false }, allPassed ? seen : null),
    cases: reports,
    verified: isVerified(spec, shown),
    unverified: unverifiedQuantities(spec, shown),
  };
}

const NO_CASE: Finding = {
  where: 'testdata',
  problem: 'there is no golden case',
  remedy: 'Put what the device sends into testdata/<case>/input.json and what it means into expected.json.',
};

function checkName(name: string): Finding[] {
  if (name === '_blueprint' || /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) return [];
  return [
    { where: name, problem: 'the folder is not named <vendor>-<model>', remedy: 'Small letters, digits and "-" only.' },
  ];
}

function checkReadme(path: string): Finding[] {
  const file = join(path, 'README.md');
  if (existsSync(file) && readFileSync(file, 'utf8').length > 200) return [];
  return [
    {
      where: 'README.md',
      problem: 'the README is missing or says little',
      remedy: 'Say where the fields or registers are documented, what is special, and where each case comes from.',
    },
  ];
}

const NEEDED = { modbus: ['port', 'unit', 'poll_s'], http: ['url', 'poll_s'], mqtt: ['topic'] } as const;

function checkForm(spec: ProfileSpec): Finding[] {
  const findings: Finding[] = [];
  const missing = NEEDED[spec.transport].filter((key) => spec.defaults[key] === undefined);
  if (missing.length > 0 && Object.keys(spec.channels).length > 0)
    findings.push({
      where: 'profile.yaml (defaults)',
      problem: `the form has no ${missing.join(', ')} to begin with`,
      remedy: `Add "defaults: { ${missing.map((key) => `${key}: …`).join(', ')} }".`,
    });
  if (!spec.notes)
    findings.push({
      where: 'profile.yaml (notes)',
      problem: 'nothing tells people what to set on the device',
      remedy: 'Add "notes:" with one or two sentences; they are shown beside the form.',
    });
  return findings;
}
