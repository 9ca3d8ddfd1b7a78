/** Which of the versions that are held may answer a question. */
import { asksForFormer } from './editions.ts';
import type { HeldVersion } from './ranking-store.ts';

/**
 * Per version whether it answers: what the caller says, else the version that came last. Of laws whose title says
 * that they are a former version, those answer that a question expressly asks for, and then the present one does not.
 */
export function answeringVersions(
  held: readonly HeldVersion[],
  question: string,
  versions: ReadonlyMap<string, string | null> | undefined,
): boolean[] {
  const answering = held.map(({ document, version, current, passages, hidden }) => {
    const asked = versions?.get(document);
    return passages > 0 && !hidden && (asked === undefined ? current : asked === version);
  });
  const former = held.filter((one, i) => one.former && answering[i]);
  if (former.length === 0) return answering;
  if (!asksForFormer(question)) return held.map((one, i) => answering[i] === true && !isReplaced(one, held));
  const replaced = new Set(former.flatMap(({ names }) => names.map((name) => name.join(' '))));
  return held.map((one, i) => {
    const hasFormer = !one.former && one.names.some((name) => replaced.has(name.join(' ')));
    return answering[i] === true && !hasFormer;
  });
}

/** A former version answers as any other where nothing has taken its place. */
function isReplaced(one: HeldVersion, held: readonly HeldVersion[]): boolean {
  if (!one.former) return false;
  const names = new Set(one.names.map((name) => name.join(' ')));
  return held.some(
    (other) =>
      !other.former && !other.hidden && other.passages > 0 && other.names.some((name) => names.has(name.join(' '))),
  );
}
