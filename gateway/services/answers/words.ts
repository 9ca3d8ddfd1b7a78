/** Why there is no answer, in the reader's language. */
import type { AnswerReason } from './answer.ts';

type Language = 'en' | 'de';

const REASONS: Record<AnswerReason, Record<Language, string>> = {
  no_documents: {
    en: 'There are no documents yet that could answer. An admin can upload some under Documents.',
    de: 'Es gibt noch keine Dokumente, die antworten könnten. Eine Administratorin kann unter Dokumente welche hochladen.',
  },
  not_covered: {
    en: 'The documents do not say this. Below is what comes nearest.',
    de: 'Das steht nicht in den Dokumenten. Unten steht, was der Frage am nächsten kommt.',
  },
  no_such_place: {
    en: 'The place that the question names is not in the documents.',
    de: 'Die Stelle, die die Frage nennt, gibt es in den Dokumenten nicht.',
  },
  nothing_verified: {
    en: 'No sentence could be proven word by word, so none is shown. Below is what was read.',
    de: 'Kein Satz ließ sich Wort für Wort belegen, deshalb wird keiner gezeigt. Unten steht, was gelesen wurde.',
  },
  no_site_data: {
    en: 'There are no figures of this site for that time.',
    de: 'Für diese Zeit gibt es keine Zahlen dieses Standorts.',
  },
  stopped: { en: 'The answer was stopped.', de: 'Die Antwort wurde angehalten.' },
  failed: { en: 'The answer failed. Ask again.', de: 'Die Antwort ist misslungen. Fragen Sie noch einmal.' },
};

export function reasonText(code: AnswerReason, language: Language): { code: AnswerReason; text: string } {
  return { code, text: REASONS[code][language] };
}

export const ASK_DOCUMENT: Record<Language, string> = {
  en: 'Several documents have this place. Which one do you mean?',
  de: 'Mehrere Dokumente haben diese Stelle. Welches meinen Sie?',
};

export function taskTitle(question: string, language: Language): string {
  const about = question.slice(0, 160);
  return language === 'de'
    ? `Ein Dokument hochladen, das diese Frage beantwortet: ${about}`
    : `Upload a document that answers this question: ${about}`;
}
