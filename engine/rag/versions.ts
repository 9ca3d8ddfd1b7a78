/** Which version of a document is in force on a day, and which one took its place. Days are `YYYY-MM-DD`. */

export type VersionFacts = {
  version: string;
  /** First day in force; null: from before anybody knows. */
  valid_from: string | null;
  /** Last day in force; null: until it is replaced. */
  valid_to: string | null;
  /** The version that takes its place, where somebody said so. */
  replaced_by: string | null;
  uploaded_ms: number;
};

/**
 * The version in force on `day`: of those whose days hold it the one that began last, of several that began on the
 * same day the one uploaded last. Null where none is (repealed, or not yet in force): nothing may be answered from it
 * then. Give only versions that could be read: one that is refused replaces nothing.
 */
export function inForce<Version extends VersionFacts>(versions: readonly Version[], day: string): Version | null {
  return (
    inOrder(versions)
      .filter((version) => isInForce(version, versions, day))
      .at(-1) ?? null
  );
}

/** Whether this very version is in force on `day`, given all versions of its document. */
export function isInForce(version: VersionFacts, versions: readonly VersionFacts[], day: string): boolean {
  if (day < beginningOf(version, versions)) return false;
  if (version.valid_to !== null && day > version.valid_to) return false;
  const next = replacementOf(version, versions);
  return next === null || day < beginningOf(next, versions);
}

/** The version that took or will take its place: as somebody said, else the next by first day and upload. */
export function replacementOf<Version extends VersionFacts>(
  version: VersionFacts,
  versions: readonly Version[],
): Version | null {
  const named = versions.find((other) => other.version === version.replaced_by && other.version !== version.version);
  if (named) return named;
  const ordered = inOrder(versions);
  return ordered[ordered.findIndex((other) => other.version === version.version) + 1] ?? null;
}

/**
 * First day in force. Where nobody said it: always for the version uploaded first, the day of its upload for one that
 * came after another, unless it had ended by then.
 */
export function beginningOf(version: VersionFacts, versions: readonly VersionFacts[]): string {
  if (version.valid_from !== null) return version.valid_from;
  const isFirst = !versions.some((other) => isEarlierUpload(other, version));
  const uploaded = new Date(version.uploaded_ms).toISOString().slice(0, 10);
  return isFirst || (version.valid_to !== null && version.valid_to < uploaded) ? '' : uploaded;
}

function inOrder<Version extends VersionFacts>(versions: readonly Version[]): Version[] {
  const begun = versions.map((version) => ({ version, begins: beginningOf(version, versions) }));
  begun.sort((a, b) => {
    if (a.begins !== b.begins) return a.begins < b.begins ? -1 : 1;
    // Of two whose beginnings nobody knows the one that ended first is older.
    const ends = [a, b].map(({ version, begins }) => (begins === '' ? (version.valid_to ?? '9999') : ''));
    if (ends[0] !== ends[1]) return (ends[0] ?? '') < (ends[1] ?? '') ? -1 : 1;
    return isEarlierUpload(a.version, b.version) ? -1 : 1;
  });
  return begun.map(({ version }) => version);
}

function isEarlierUpload(a: VersionFacts, b: VersionFacts): boolean {
  return a.uploaded_ms < b.uploaded_ms || (a.uploaded_ms === b.uploaded_ms && a.version < b.version);
}
