/**
 * The device profiles of `firmware-profiles/`. Each is parsed when it is first needed, and all of them one by one once
 * the box has started: reading a hundred files must not hold up the start.
 */
import {
  loadProfile,
  overviewOf,
  type ProfileOverview,
  profileNames,
} from '../../connectors/meters/profile/catalogue.ts';
import type { Profile } from '../../connectors/meters/profile/profile.ts';
import { ConfigError, NotFoundError } from '../../engine/errors.ts';
import type { MeterRole } from '../../engine/model/site.ts';

/** The device profiles of `firmware-profiles/`, parsed at start. The full type is connectors/meters/profile. */
export interface ProfileCatalogue {
  list(): readonly ProfileSummary[];
  get(name: string): ProfileSummary | null;
}

export type ProfileSummary = {
  name: string;
  vendor: string;
  model: string;
  transport: 'mqtt' | 'modbus' | 'http';
  /** False while all its golden cases are synthetic. */
  verified: boolean;
  firmware_range: string | null;
  channels: readonly {
    name: string;
    label: string;
    role: MeterRole;
    quantities: readonly string[];
    /** Largest power that the device can measure or give, where the profile knows it. */
    rated_power_W?: number;
  }[];
  /** Defaults that fill the form: port, unit, baud, poll_s, topic example, url example. */
  defaults: Readonly<Record<string, string | number>>;
  notes: string | null;
};

export type Profiles = ProfileCatalogue & {
  /** The whole profile, for decoding. @throws NotFoundError; ConfigError for a faulty one */
  full(name: string): Profile;
  /** Parses them in the background, a few milliseconds at a time. */
  start(): void;
  stop(): void;
};

export type ProfilesOptions = {
  /** Told once of each faulty profile; it is left out of the list. */
  onFault?: (error: ConfigError) => void;
};

export function openProfileCatalogue(folder: string, { onFault }: ProfilesOptions = {}): Profiles {
  const names = profileNames(folder);
  const known = new Map<string, Profile | ConfigError>();
  let byModel: ProfileOverview[] | null = null;
  let next: NodeJS.Immediate | undefined;

  function parsed(name: string): Profile | ConfigError | null {
    if (!names.includes(name)) return null;
    let profile = known.get(name);
    if (profile) return profile;
    try {
      profile = loadProfile(folder, name);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      profile = error;
      onFault?.(error);
    }
    known.set(name, profile);
    return profile;
  }
  function overview(name: string): ProfileOverview[] {
    const profile = parsed(name);
    return profile && !(profile instanceof ConfigError) ? [overviewOf(profile)] : [];
  }
  function parseNext(): void {
    const name = names.find((one) => !known.has(one));
    if (name === undefined) return;
    parsed(name);
    next = setImmediate(parseNext);
  }
  return {
    list() {
      byModel ??= names.flatMap(overview).sort((a, b) => label(a).localeCompare(label(b)));
      return byModel;
    },
    get: (name) => overview(name)[0] ?? null,
    full(name) {
      const profile = parsed(name);
      if (profile instanceof ConfigError) throw profile;
      if (profile) return profile;
      throw new NotFoundError(`There is no device profile "${name}".`, 'GET /api/v1/profiles lists them all.');
    },
    start: parseNext,
    stop: () => clearImmediate(next),
  };
}

function label({ vendor, model }: { vendor: string; model: string }): string {
  return `${vendor} ${model}`;
}
