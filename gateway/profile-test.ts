/** `luna profile test`: what is wrong with a device profile, in words for its author. Needs no running box. */
import { checkProfile } from '../connectors/meters/profile/check/check.ts';
import type { Finding, ProfileReport } from '../connectors/meters/profile/check/report.ts';
import { NotFoundError } from '../engine/errors.ts';

export type ProfileTest = {
  text: string;
  json: unknown;
  /** 0: nothing to mend; 1: faults; 2: there is no profile to test. */
  exit: 0 | 1 | 2;
};

/** @param folder `firmware-profiles/<vendor>-<model>`, or any folder with a profile.yaml. */
export async function testProfile(folder: string): Promise<ProfileTest> {
  try {
    const report = await checkProfile(folder);
    return { text: textOf(report), json: report, exit: report.faults.length > 0 ? 1 : 0 };
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return { text: [error.message, error.remedy].join(' '), json: { error: error.message }, exit: 2 };
  }
}

function textOf({ name, faults, doubts, cases, verified, unverified }: ProfileReport): string {
  const passed = cases.filter((one) => one.passed);
  const lines = [
    `${name}: ${faults.length > 0 ? `${faults.length} to mend` : 'nothing to mend'}`,
    ...faults.map((finding) => lineOf('mend ', finding)),
    ...doubts.map((finding) => lineOf('check', finding)),
    `  cases ${passed.length} of ${cases.length} as expected${cases.length > 0 ? `: ${cases.map((one) => `${one.name} (${one.kind})`).join(', ')}` : ''}`,
  ];
  if (verified) lines.push('  verified: its main quantities are recorded or documented');
  else if (unverified.length > 0)
    lines.push(`  not verified: no recorded or documented case shows ${unverified.join(', ')}`);
  return lines.join('\n');
}

function lineOf(label: string, { where, problem, remedy }: Finding): string {
  const end = /[.?!]$/.test(problem) ? problem : `${problem}.`;
  return `  ${label} ${where}: ${end}${remedy ? ` ${remedy}` : ''}`;
}
