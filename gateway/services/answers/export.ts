/** A conversation as Markdown, every sentence with its sources. */
import type { Answer } from './answer.ts';
import type { Run } from './store.ts';

const WORDS = {
  en: { title: 'Questions and answers', page: 'page', version: 'version', sources: 'Sources', none: 'No answer yet.' },
  de: {
    title: 'Fragen und Antworten',
    page: 'Seite',
    version: 'Fassung',
    sources: 'Quellen',
    none: 'Noch keine Antwort.',
  },
};
type Words = (typeof WORDS)['en'];

export function exportConversation(runs: readonly Run[], language: 'en' | 'de'): { name: string; text: string } {
  const words = WORDS[language];
  const parts = runs.map(
    ({ question, answer }) => `## ${plain(question)}\n\n${answer ? answerText(answer, words) : words.none}`,
  );
  const day = runs[0]?.created_at.toISOString().slice(0, 10) ?? '';
  return { name: `luna-${day}.md`, text: `# ${words.title}\n\n${parts.join('\n\n')}\n` };
}

function answerText({ sentences, reason }: Answer, words: Words): string {
  if (sentences.length === 0) return reason ? `_${plain(reason.text)}_` : words.none;
  const sources: string[] = [];
  const lines = sentences.map(({ text, citations, figures }) => {
    const marks = [
      ...citations.map(({ document_title, version, section, page, quote }) =>
        mark(
          sources,
          `${plain(document_title)}, ${words.version} ${plain(version)}, ${plain(section)}${page === null ? '' : `, ${words.page} ${page}`}: “${plain(quote)}”`,
        ),
      ),
      ...figures.map(({ title, quote, href }) => mark(sources, `${plain(title)} (${plain(href)}): ${plain(quote)}`)),
    ];
    return `${plain(text)} ${marks.map((n) => `[${n}]`).join('')}`;
  });
  return `${lines.join('\n\n')}\n\n${words.sources}:\n\n${sources.map((source, i) => `${i + 1}. ${source}`).join('\n')}`;
}

function mark(sources: string[], source: string): number {
  const at = sources.indexOf(source);
  return at === -1 ? sources.push(source) : at + 1;
}

/** One line, with everything that would be markup, a link or a picture made harmless. */
function plain(text: string): string {
  return text
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]<>#|!]/g, (sign) => `\\${sign}`)
    .trim();
}
