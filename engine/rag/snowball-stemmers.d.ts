/** The package has no types of its own. */
declare module 'snowball-stemmers' {
  export type Stemmer = { stem(word: string): string };
  const snowball: { newStemmer(language: 'english' | 'german'): Stemmer };
  export default snowball;
}
