/** Which version of a tariff holds when. */
import { InvalidDataError } from '../errors.ts';
import { instantOf } from '../model/time.ts';
import type { Tariff, TariffVersion } from './tariff.ts';

/** The instant at which a version begins: local midnight of its day. */
export function beginOf({ valid_from, tariff }: TariffVersion): number {
  const [year, month, day] = valid_from.split('-').map(Number);
  return instantOf(tariff.time_zone, year!, month!, day!);
}

export type VersionPart = {
  valid_from: string;
  tariff: Tariff;
  /** When the version begins, be it before the part. */
  begins_ms: number;
  from_ms: number;
  to_ms: number;
};

/**
 * The versions that hold in [from_ms, to_ms), each with its part of it, ascending; the time before the first is left out.
 * @throws InvalidDataError where they count in different currencies
 */
export function coveredParts(versions: readonly TariffVersion[], from_ms: number, to_ms: number): VersionPart[] {
  const begun = versions
    .map((version) => ({ ...version, begins_ms: beginOf(version) }))
    .sort((a, b) => a.begins_ms - b.begins_ms);
  const parts: VersionPart[] = [];
  for (const [i, { valid_from, tariff, begins_ms }] of begun.entries()) {
    const part = { from_ms: Math.max(from_ms, begins_ms), to_ms: Math.min(to_ms, begun[i + 1]?.begins_ms ?? Infinity) };
    if (part.from_ms < part.to_ms) parts.push({ valid_from, tariff, begins_ms, ...part });
  }
  const other = parts.find(({ tariff }) => tariff.currency !== parts[0]!.tariff.currency);
  if (other)
    throw new InvalidDataError(
      `The tariff counts in ${parts[0]!.tariff.currency} before ${other.valid_from} and in ${other.tariff.currency} from then on.`,
      'Ask for a time on one side of that day.',
    );
  return parts;
}

/** As `coveredParts`. @throws InvalidDataError where no version covers the begin */
export function inParts(versions: readonly TariffVersion[], from_ms: number, to_ms: number): VersionPart[] {
  const parts = coveredParts(versions, from_ms, to_ms);
  if (parts.length > 0 && parts[0]!.from_ms === from_ms) return parts;
  const [first] = versions.map(({ valid_from }) => valid_from).sort();
  throw new InvalidDataError(
    first ? `No tariff is valid before ${first}.` : 'The site has no tariff.',
    first ? 'Add a version of the tariff that begins earlier.' : 'An admin can write one on the page Tariff.',
  );
}

/** The version that holds at an instant. @throws InvalidDataError where there is none */
export function versionAt(versions: readonly TariffVersion[], at_ms: number): TariffVersion {
  const [{ valid_from, tariff }] = inParts(versions, at_ms, at_ms + 1) as [VersionPart];
  return { valid_from, tariff };
}
