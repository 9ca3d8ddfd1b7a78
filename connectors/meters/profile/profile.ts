/** A parsed profile, and reading one from text. */
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { ConfigError } from '../../../engine/errors.ts';
import { ProfileSchema, type ProfileSpec } from './schema.ts';

export type Profile = ProfileSpec & {
  /** Name of its folder. */
  name: string;
  /** Whether recorded or documented golden cases hold its main quantities. */
  verified: boolean;
};

/** What a reading of a device is before its channel becomes a meter point. */
export type ChannelReading = { channel: string; quantity: string; value: number; at_ms: number };

/**
 * @param text the YAML of `firmware-profiles/<name>/profile.yaml`.
 * @throws ConfigError that lists all faults at once.
 */
export function parseProfile(name: string, text: string): ProfileSpec {
  const place = `firmware-profiles/${name}/profile.yaml`;
  let raw: unknown;
  try {
    raw = parseYaml(text);
  } catch (error) {
    throw new ConfigError(`${place} is no valid YAML: ${(error as Error).message}`, 'Mend the line that is named.', {
      cause: error,
    });
  }
  const parsed = ProfileSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    `${place} has faults: ${parsed.error.issues.map(faultText).join('; ')}`,
    'docs/guides/add-a-device-profile.md describes every key.',
  );
}

function faultText(issue: z.core.$ZodIssue): string {
  const where = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys')
    return `${where ? `${where}: ` : ''}unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  return where ? `${where}: ${issue.message}` : issue.message;
}

/** The firmware range in words: `≥ 1.0 and < 2.0`, or null where the profile names none. */
export function firmwareRange(profile: ProfileSpec): string | null {
  const { from, below } = profile.made_for ?? {};
  const parts = [from && `≥ ${from}`, below && `< ${below}`].filter(Boolean);
  return parts.length > 0 ? parts.join(' and ') : null;
}

/** False when `version` lies outside the range the profile was made for; true when nothing speaks against it. */
export function madeFor(profile: ProfileSpec, version: string): boolean {
  const { from, below } = profile.made_for ?? {};
  return !(from && compareVersions(version, from) < 0) && !(below && compareVersions(version, below) >= 0);
}

/** Compares the numbers in two versions from the left (`1.10.2` > `1.9`); letters around them do not count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => (text.match(/\d+(?:\.\d+)*/)?.[0] ?? '0').split('.').map(Number));
  for (let i = 0; i < Math.max(left!.length, right!.length); i++) {
    const difference = (left![i] ?? 0) - (right![i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
