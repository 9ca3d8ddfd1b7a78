/** What a language model is asked to write, and how it is read: claims, each with a passage and words copied from it. */

import type { Passage } from '../ports.ts';
import { findQuote } from './marks.ts';
import type { CitedSentence } from './verify.ts';

/** `passage` is the number under which the prompt listed it. */
export type DraftClaim = { text: string; passage: number; quote: string };
export type Draft = { claims: DraftClaim[] };

export const DRAFT_SCHEMA = {
  type: 'object',
  properties: {
    claims: {
      type: 'array',
      maxItems: 6,
      items: {
        type: 'object',
        properties: { text: { type: 'string' }, passage: { type: 'integer' }, quote: { type: 'string' } },
        required: ['text', 'passage', 'quote'],
        additionalProperties: false,
      },
    },
  },
  required: ['claims'],
  additionalProperties: false,
} as const;
const MOST_CLAIMS = 6;
const LONGEST = 2000;

/** Null where the text does not follow the schema. A text that was cut off gives the claims that are whole. */
export function decodeDraft(text: string, finished: boolean): Draft | null {
  if (!finished) return { claims: wholeClaims(text) };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { claims } = (typeof value === 'object' && value !== null ? value : {}) as { claims?: unknown };
  if (!Array.isArray(claims) || !claims.every(isClaim)) return null;
  return { claims: claims.slice(0, MOST_CLAIMS) };
}

/** The claims that are complete in a text that still grows. */
export function wholeClaims(text: string): DraftClaim[] {
  const found: DraftClaim[] = [];
  const begin = text.indexOf('[');
  if (begin === -1) return found;
  let [depth, from, inText] = [0, -1, false];
  for (let i = begin + 1; i < text.length && found.length < MOST_CLAIMS; i += 1) {
    const sign = text[i];
    if (inText) {
      if (sign === '\\') i += 1;
      else if (sign === '"') inText = false;
    } else if (sign === '"') inText = true;
    else if (sign === '{') {
      if (depth === 0) from = i;
      depth += 1;
    } else if (sign === '}') {
      depth -= 1;
      if (depth === 0) found.push(...claimIn(text.slice(from, i + 1)));
      if (depth < 0) break;
    } else if (sign === ']' && depth === 0) break;
  }
  return found;
}

function claimIn(text: string): DraftClaim[] {
  try {
    const value: unknown = JSON.parse(text);
    return isClaim(value) ? [value] : [];
  } catch {
    return [];
  }
}

function isClaim(value: unknown): value is DraftClaim {
  if (typeof value !== 'object' || value === null) return false;
  const { text, passage, quote } = value as Record<string, unknown>;
  const isText = (one: unknown) => typeof one === 'string' && one.length <= LONGEST;
  return isText(text) && isText(quote) && Number.isInteger(passage);
}

/** The claim as a sentence whose quote is the passage's own words; null where they do not stand in it. */
export function sentenceOf(claim: DraftClaim, passages: readonly Passage[]): CitedSentence | null {
  const passage = passages[claim.passage - 1];
  const span = passage && findQuote(passage.text, claim.quote);
  if (!passage || !span) return null;
  const { id, document, document_title, version, section, page, text } = passage;
  return {
    text: claim.text.replace(/\s+/g, ' ').trim(),
    citations: [
      {
        ...{ passage: id, document, document_title, version, section, page },
        quote: text.slice(span.start, span.end),
        ...{ start: passage.start + span.start, end: passage.start + span.end },
      },
    ],
  };
}
