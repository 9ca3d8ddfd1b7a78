/**
 * How good the answers of a tenant are: a set of questions is asked, and every sentence is verified anew by code that
 * knows nothing of how it was made. Kept per model version, so that a new model can be compared.
 */

import type { Passage, Sql } from '../../../engine/ports.ts';
import { keysOfSection } from '../../../engine/rag/references.ts';
import type { Analyzers } from '../../../engine/rag/terms.ts';
import { verifySentence } from '../../../engine/rag/verify.ts';
import { createRandom } from '../../../engine/random.ts';
import { pageOf } from '../../document-text.ts';
import type { Base } from '../../services.ts';
import type { AnswerSources } from '../regulation/sources.ts';
import { documentNames, goldenRows } from '../retrieval/store.ts';
import type { Answer } from './answer.ts';
import { versionOf } from './model-audit.ts';
import type { Runner } from './runs.ts';
import type { Run } from './store.ts';

/** `document` null: the documents do not say. `section` null: any counts. */
export type EvalQuestion = { question: string; document: string | null; section: string | null };
export type EvalResult = {
  id: number;
  at: Date;
  model_version: string;
  question_set: 'golden' | 'headings';
  questions: number;
  answered: number;
  grounding_pct: number | null;
  unsupported_pct: number | null;
  abstained_pct: number | null;
  right_pct: number | null;
  p95_ms: number;
};
export type EvalDeps = Pick<Base, 'db' | 'clock' | 'log'> & {
  sources: AnswerSources;
  analyzers: Analyzers;
  runner: Runner;
  /** Null: quotes only. */
  version: { name: string; digest: string | null } | null;
};

const QUESTIONS = 40;
/** A model may take a minute a question. */
const QUESTIONS_OF_MODEL = 20;
const SEED = 9;
/** Nobody's documents answer these. */
const NOWHERE: readonly string[] = [
  'Wie viele Einwohner hat die Hauptstadt von Frankreich?',
  'Welche Farbe hat der Zug nach Nirgendwo?',
  'What is the melting point of the moon cheese act?',
  'Which football club won the cup in Lisbon?',
  'Wie backt man ein Dinkelbrot?',
];

type Asked = { question: EvalQuestion; answer: Answer; drafted: number; unsupported: number; ms: number };

export async function evaluateAnswers(deps: EvalDeps, tenant: string): Promise<EvalResult> {
  const golden = await deps.db.asTenant(tenant, goldenQuestions);
  const limit = deps.version ? QUESTIONS_OF_MODEL : QUESTIONS;
  const set = golden.length > 0 ? 'golden' : 'headings';
  const questions = golden.length > 0 ? sample(golden, limit) : await fromHeadings(deps, tenant, limit);
  const asked: Asked[] = [];
  for (const question of questions) asked.push(await askOne(deps, tenant, question));
  return keep(deps, tenant, set, asked);
}

/** Those of the tenant's golden sets whose document is there, by any name of it; and those that nothing answers. */
async function goldenQuestions(sql: Sql): Promise<EvalQuestion[]> {
  const named = new Map<string, string>();
  for (const { document, names } of await documentNames(sql))
    for (const name of [document, ...names]) named.set(asName(name), document);
  const questions = (await goldenRows(sql)).flatMap((set) => set.questions);
  return questions.flatMap(({ question, document, section }) => {
    const id = document === null ? null : named.get(asName(document));
    return id === undefined ? [] : [{ question, document: id, section: section ?? null }];
  });
}

/** Titles and file names as sets write them: `EnWG.md.gz` is `EnWG`. */
function asName(name: string): string {
  return name
    .toLowerCase()
    .replace(/(?:\.(?:md|txt|pdf|html?|docx|gz))+$/, '')
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

function sample<T>(list: readonly T[], count: number): T[] {
  const random = createRandom(SEED);
  return list
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ item }) => item);
}

/** Without a golden set: the sections of the tenant's own documents by their names, and questions that none answers. */
async function fromHeadings({ db }: EvalDeps, tenant: string, limit: number): Promise<EvalQuestion[]> {
  const rows = await db.asTenant(tenant, (sql) =>
    sql<{ document: string; title: string; section: string; language: string }>(
      `select distinct p.document_id as document, d.title, p.section, v.language
       from passage p
         join document d on d.tenant_id = p.tenant_id and d.id = p.document_id
         join document_version v on v.tenant_id = p.tenant_id and v.document_id = p.document_id and v.version = p.version
       where v.state = 'ready' order by 1, 3 limit 20000`,
    ),
  );
  const named = rows.filter(({ section }) => keysOfSection(section).length > 0);
  if (named.length === 0) return [];
  const questions = sample(named, limit - NOWHERE.length).map(({ document, title, section, language }) => {
    const heading =
      section
        .split(' > ')
        .at(-1)
        ?.replace(/\s*\([^()]*\)$/, '') ?? section;
    const place = /^(?:§|Art\p{L}*\.?|Section|Rule|Anlage|Annex)?\s*\S+/u.exec(heading)?.[0] ?? heading;
    const question = language === 'de' ? `Was regelt ${place} ${title}?` : `What does ${place} of ${title} say?`;
    return { question, document, section };
  });
  return [...questions, ...NOWHERE.map((question) => ({ question, document: null, section: null }))];
}

async function askOne(deps: EvalDeps, tenant: string, question: EvalQuestion): Promise<Asked> {
  const begun = performance.now();
  const run: Run = {
    ...{ id: '00000000-0000-0000-0000-000000000000', conversation: '', person: 'evaluation', role: 'user' as const },
    ...{ language: 'en' as const, question: question.question, state: 'running' as const, memory: {}, answer: null },
    created_at: new Date(deps.clock.now()),
  };
  const signal = new AbortController().signal;
  const answer = await deps.runner.advance(tenant, run, { interactive: false, signal, tell: () => {}, unkept: true });
  const ms = performance.now() - begun;
  const drafted = answer.sentences.length + answer.dropped.length;
  return { question, answer, drafted, unsupported: await unsupportedIn(deps, tenant, answer), ms };
}

/** Sentences on the screen that do not hold when they are verified from the stored text alone. */
async function unsupportedIn({ sources, analyzers }: EvalDeps, tenant: string, { sentences }: Answer): Promise<number> {
  const textOf = sources.textOf(tenant);
  let wrong = 0;
  for (const sentence of sentences.filter(({ citations }) => citations.length > 0)) {
    const ids = sentence.citations.map(({ passage }) => passage);
    const asked = new Map(sentence.citations.map(({ document, version }) => [document, version]));
    const passages = new Map(
      (await sources.citable(tenant, ids, asked)).map((one): [string, Passage] => [one.id, one]),
    );
    const pages = new Map<string, number | null>();
    let stands = true;
    for (const { passage, document, version, start, end, quote } of sentence.citations) {
      const stored = await textOf(document, version);
      stands &&= stored?.text.slice(start, end) === quote;
      pages.set(`${passage} ${start}`, stored ? pageOf(stored, start) : null);
    }
    const held = {
      passage: (id: string) => passages.get(id) ?? null,
      pageOf: ({ id, page }: Passage, start: number) => pages.get(`${id} ${start}`) ?? page,
    };
    if (!stands || !verifySentence(sentence, held, analyzers).ok) wrong += 1;
  }
  return wrong;
}

async function keep(
  { db, clock, version }: EvalDeps,
  tenant: string,
  set: EvalResult['question_set'],
  asked: readonly Asked[],
): Promise<EvalResult> {
  const percent = (part: number, of: number) => (of === 0 ? null : Math.round((1000 * part) / of) / 10);
  const sum = (of: (one: Asked) => number) => asked.reduce((total, one) => total + of(one), 0);
  const isAnswered = ({ answer }: Asked) => answer.status === 'answered';
  const answerable = asked.filter(({ question }) => question.document !== null);
  const answered = answerable.filter(isAnswered);
  const right = answered.filter(({ question, answer }) => isAt(answer, question)).length;
  const shown = sum(({ answer }) => answer.sentences.length);
  const times = asked.map(({ ms }) => ms).sort((a, b) => a - b);
  const detail = {
    answered_unanswerable: asked.filter((one) => one.question.document === null && isAnswered(one)).length,
    faults: asked.flatMap(({ answer }) => answer.model_fault ?? []),
  };
  const [row] = await db.asTenant(tenant, (sql) =>
    sql<EvalResult>(
      `insert into model_eval_results (tenant_id, at, model_version, question_set, questions, answered, grounding_pct,
         unsupported_pct, abstained_pct, right_pct, p95_ms, detail)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning ${COLUMNS}`,
      [
        ...[tenant, new Date(clock.now()), version ? versionOf(version.name, version.digest) : 'extractive', set],
        ...[
          asked.length,
          asked.filter(isAnswered).length,
          percent(
            shown,
            sum(({ drafted }) => drafted),
          ),
        ],
        ...[
          percent(
            sum(({ unsupported }) => unsupported),
            shown,
          ),
        ],
        ...[percent(answerable.length - answered.length, answerable.length), percent(right, answered.length)],
        ...[Math.round(times[Math.floor(0.95 * times.length)] ?? 0), JSON.stringify(detail)],
      ],
    ),
  );
  return row!;
}

const COLUMNS = `id, at, model_version, question_set, questions, answered, grounding_pct, unsupported_pct, abstained_pct,
  right_pct, p95_ms`;

function isAt({ sentences }: Answer, { document, section }: EvalQuestion): boolean {
  const first = sentences[0]?.citations[0];
  if (!first || first.document !== document) return false;
  if (section === null) return true;
  const wanted = keysOfSection(section);
  return keysOfSection(first.section).some((key) => wanted.includes(key));
}

export async function listEvals(sql: Sql, limit: number): Promise<EvalResult[]> {
  return sql<EvalResult>(`select ${COLUMNS} from model_eval_results order by at desc, id desc limit $1`, [limit]);
}
