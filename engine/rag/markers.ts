/** The marks by which a section counts its paragraphs: `(1)`, `(a)(2)`, `1.`. */
export type Marker = { kind: 'lower' | 'digit' | 'upper' | 'roman' | 'point'; text: string };

/** `(a)(1) Text` opens two levels at once. */
export function markersOf(text: string): Marker[] {
  const found: Marker[] = [];
  let rest = text;
  for (;;) {
    const marker = /^\(([a-z]{1,4}|\d{1,3}[a-z]?|[A-Z])\)\s*/.exec(rest);
    if (!marker?.[1]) break;
    found.push({ kind: kindOf(marker[1]), text: marker[1] });
    rest = rest.slice(marker[0].length);
  }
  const point = found.length === 0 ? /^(\d{1,2}[a-z]?)\.\s/.exec(rest)?.[1] : undefined;
  return point ? [{ kind: 'point', text: point }] : found;
}

function kindOf(text: string): Marker['kind'] {
  if (/^\d/.test(text)) return 'digit';
  if (/^[A-Z]$/.test(text)) return 'upper';
  return /^[ivx]{2,4}$/.test(text) ? 'roman' : 'lower';
}

/** A marker of a kind that is open goes on there; another kind opens a level. `(i)` after an (A) or (1) is roman. */
export function place(stack: readonly Marker[], marker: Marker): Marker[] {
  const top = stack.at(-1);
  const isRoman = marker.text === 'i' && top !== undefined && !(top.kind === 'lower' && top.text === 'h');
  const kind = isRoman
    ? 'roman'
    : marker.kind === 'lower' && /^[vx]$/.test(marker.text) && top?.kind === 'roman'
      ? 'roman'
      : marker.kind;
  const open = stack.findIndex((entry) => entry.kind === kind);
  // Numbered points below a bracketed paragraph are too fine for a label.
  if (kind === 'point' && stack.length > 0 && open === -1) return [...stack];
  return [...(open === -1 ? stack : stack.slice(0, open)), { kind, text: marker.text }];
}
