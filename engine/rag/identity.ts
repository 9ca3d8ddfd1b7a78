/**
 * By what an index was made. Two indexes are the same only when all of it is: otherwise the newer is built beside the
 * older, which answers until the newer is whole (blue and green).
 */

/** Goes up with every change that makes another text of the same file; a test holds it against what is read. */
export const PARSER = 2;
/** Goes up with every change that cuts the same text into other passages. */
export const CHUNKER = 2;

export type IndexIdentity = {
  parser: number;
  chunker: number;
  /** How words are counted: stemmer, compounds, bigrams. */
  analyzer: number;
  /** Null without vectors. */
  embedding: { model: string; digest: string; dimensions: number; prefixes: readonly [string, string] } | null;
};

/** Of the reader alone, as stored with each version and its passages: `p2.c2`. */
export function readerIdentity(): string {
  return `p${PARSER}.c${CHUNKER}`;
}

/** One line, the same for the same identity: to compare, to store, and to name files by. */
export function identityLine({ parser, chunker, analyzer, embedding }: IndexIdentity): string {
  const words = `p${parser}.c${chunker}.a${analyzer}`;
  if (!embedding) return words;
  const { model, digest, dimensions, prefixes } = embedding;
  return `${words}.${[model, digest.slice(0, 16), dimensions, ...prefixes].map(encodeURIComponent).join('.')}`;
}
