/** Passages found as the box finds them: by words, with its glossary, the best looked into again. */
import type { PassageIndex } from '../../../engine/ports.ts';
import { createGlossaryReader } from '../../../engine/rag/glossary.ts';
import { GLOSSARY } from '../../../engine/rag/glossary-entries.ts';
import { createRetriever } from '../../../engine/rag/retriever.ts';
import { createAnalyzers } from '../../../engine/rag/terms.ts';

export type Finding = Pick<PassageIndex, 'search' | 'rarity' | 'otherwise'>;

export function createFinding(index: PassageIndex): Finding {
  const retrieve = createRetriever({ index, glossary: async () => GLOSSARY });
  const known = createGlossaryReader(createAnalyzers())(GLOSSARY);
  return {
    async search(tenant, asked, limit) {
      const { text, versions } = typeof asked === 'string' ? { text: asked, versions: undefined } : asked;
      return (await retrieve(tenant, text, { limit, ...(versions ? { versions } : {}) })).hits;
    },
    ...(index.rarity ? { rarity: index.rarity.bind(index) } : {}),
    otherwise: async (_, question, language) => known.otherwise(question, language),
  };
}
