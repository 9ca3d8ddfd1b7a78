/** Reads the profiles from their folder, at start and in the tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../../engine/errors.ts';
import { firmwareRange, type Profile, parseProfile } from './profile.ts';
import { measurementsOf } from './schema.ts';
import { isVerified } from './verified.ts';

/** How the expected values of a golden case came about. */
export type CaseKind = 'recorded' | 'documented' | 'synthetic';

/**
 * @param folder `firmware-profiles`; folders that begin with `_` (the blueprint) are left out unless named by `include`.
 * @throws ConfigError with the faults of all profiles.
 */
export function loadProfiles(folder: string, include: (name: string) => boolean = isShipped): Profile[] {
  const faults: string[] = [];
  const profiles: Profile[] = [];
  for (const name of profileNames(folder, include)) {
    try {
      profiles.push(loadProfile(folder, name));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(error.message);
    }
  }
  if (faults.length > 0)
    throw new ConfigError(faults.join('\n'), 'docs/guides/add-a-device-profile.md describes every key.');
  return profiles;
}

/** The names of the profiles in `folder`, in order. */
export function profileNames(folder: string, include: (name: string) => boolean = isShipped): string[] {
  return readdirSync(folder)
    .sort()
    .filter((name) => include(name) && existsSync(join(folder, name, 'profile.yaml')));
}

/** @throws ConfigError with all faults of the profile. */
export function loadProfile(folder: string, name: string): Profile {
  const spec = parseProfile(name, readFileSync(join(folder, name, 'profile.yaml'), 'utf8'));
  return { ...spec, name, verified: isVerified(spec, caseSummaries(join(folder, name))) };
}

function isShipped(name: string): boolean {
  return !name.startsWith('_');
}

type CaseSummary = { kind: CaseKind; readings: { channel: string; quantity: string }[] };

function caseSummaries(folder: string): CaseSummary[] {
  return caseFolders(folder).map((path) => {
    const { kind } = JSON.parse(readFileSync(join(path, 'input.json'), 'utf8')) as Pick<CaseSummary, 'kind'>;
    const expected = join(path, 'expected.json');
    const { readings } = existsSync(expected)
      ? (JSON.parse(readFileSync(expected, 'utf8')) as Pick<CaseSummary, 'readings'>)
      : { readings: [] };
    return { kind, readings };
  });
}

/** The folders of a profile's golden cases. */
export function caseFolders(folder: string): string[] {
  const testdata = join(folder, 'testdata');
  if (!existsSync(testdata)) return [];
  return readdirSync(testdata)
    .sort()
    .map((name) => join(testdata, name))
    .filter((path) => existsSync(join(path, 'input.json')));
}

/** What forms, lists and docs show of a profile. */
export type ProfileOverview = {
  name: string;
  vendor: string;
  model: string;
  transport: 'mqtt' | 'modbus' | 'http';
  verified: boolean;
  firmware_range: string | null;
  channels: {
    name: string;
    label: string;
    role: Profile['channels'][string]['role'];
    quantities: string[];
    rated_power_W?: number;
  }[];
  defaults: Record<string, string | number>;
  notes: string | null;
};

export function overviewOf(profile: Profile): ProfileOverview {
  const measured = measurementsOf(profile);
  return {
    name: profile.name,
    vendor: profile.vendor,
    model: profile.model,
    transport: profile.transport,
    verified: profile.verified,
    firmware_range: firmwareRange(profile),
    channels: Object.entries(profile.channels).map(([name, { label, role, rated_power_W }]) => ({
      name,
      label,
      role,
      quantities: [...new Set(measured.filter((entry) => entry.channel === name).map((entry) => entry.quantity))],
      ...(rated_power_W === undefined ? {} : { rated_power_W }),
    })),
    defaults: Object.fromEntries(Object.entries(profile.defaults).filter(([, value]) => value !== undefined)),
    notes: profile.notes,
  };
}

/** The overviews of all profiles in `folder`. @throws ConfigError with the faults of all. */
export function parseProfiles(folder: string): ProfileOverview[] {
  return loadProfiles(folder).map(overviewOf);
}
