/** Points at a passage of regulation that became relevant to what is read and asked here. */
import type { Rule } from '../action.ts';
import { inWords } from '../words.ts';

const MIN_RELEVANCE = 0.35;
const MOST = 3;
/** Characters of a quote that a card shows. */
const SHOWN = 220;

/** Eligible for the three most relevant passages above a threshold, one a section. */
export const readPassage: Rule = (context) => {
  const sections = new Set<string>();
  return (context.passages ?? [])
    .filter(({ relevance, document, section }) => {
      const known = sections.has(`${document} ${section}`);
      sections.add(`${document} ${section}`);
      return !known && relevance >= MIN_RELEVANCE;
    })
    .slice(0, MOST)
    .map((passage) => {
      const { id, document, version, page, section, quote } = passage;
      const query = new URLSearchParams({ version, quote, ...(page === null ? {} : { page: String(page) }) });
      return {
        id: `read_passage:${document}:${id}`,
        kind: 'read_passage' as const,
        text: inWords(context, {
          en: () => `Read ${section || 'a passage'} in ${passage.document_title}.`,
          de: () => `Lesen Sie ${section || 'eine Stelle'} in ${passage.document_title}.`,
        }),
        why: inWords(context, {
          en: () => `It is close to what was asked and read here lately: “${shortened(quote)}”`,
          de: () => `Sie steht dem nahe, was hier zuletzt gefragt und gelesen wurde: „${shortened(quote)}“`,
        }),
        saving: null,
        deadline_ms: null,
        evidence: { passage: { id, document, version, page, section, quote } },
        stake: passage.relevance,
        measure: null,
        link: `/documents/${encodeURIComponent(document)}?${query.toString()}`,
      };
    });
};

function shortened(text: string): string {
  const plain = text.replace(/\s+/g, ' ').trim();
  return plain.length <= SHOWN ? plain : `${plain.slice(0, plain.lastIndexOf(' ', SHOWN))} …`;
}
