/** Letters as they are meant: what fonts, typesetters and word processors put in their place. */
const LIGATURES: Record<string, string> = { ﬀ: 'ff', ﬁ: 'fi', ﬂ: 'fl', ﬃ: 'ffi', ﬄ: 'ffl', ﬅ: 'st', ﬆ: 'st' };

/** Ligatures apart, no control characters, soft hyphens or other signs without width, one kind of space. */
export function cleanCharacters(text: string): string {
  return text
    .replace(/[ﬀ-ﬆ]/g, (found) => LIGATURES[found] ?? found)
    .replace(/[\p{Cc}\p{Co}\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu, (found) =>
      /\s/.test(found) && found !== '\ufeff' ? ' ' : '',
    )
    .replace(/[\u00a0\u2000-\u200a\u202f\u3000]/g, ' ')
    .toWellFormed();
}
