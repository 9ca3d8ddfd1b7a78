/** The device profiles of `firmware-profiles/`, parsed once at start: a faulty one keeps the box from starting. */
import { loadProfiles, overviewOf } from '../../connectors/meters/profile/catalogue.ts';
import type { Profile } from '../../connectors/meters/profile/profile.ts';
import { NotFoundError } from '../../engine/errors.ts';
import type { ProfileCatalogue } from '../services.ts';

export type Profiles = ProfileCatalogue & {
  /** The whole profile, for decoding. @throws NotFoundError */
  full(name: string): Profile;
};

/** @throws ConfigError with the faults of all profiles in `folder`. */
export function openProfileCatalogue(folder: string): Profiles {
  const profiles = new Map(loadProfiles(folder).map((profile) => [profile.name, profile]));
  const overviews = new Map([...profiles].map(([name, profile]) => [name, overviewOf(profile)]));
  const byModel = [...overviews.values()].sort((a, b) => label(a).localeCompare(label(b)));
  return {
    list: () => byModel,
    get: (name) => overviews.get(name) ?? null,
    full(name) {
      const profile = profiles.get(name);
      if (profile) return profile;
      throw new NotFoundError(`There is no device profile "${name}".`, 'GET /api/v1/profiles lists them all.');
    },
  };
}

function label({ vendor, model }: { vendor: string; model: string }): string {
  return `${vendor} ${model}`;
}
