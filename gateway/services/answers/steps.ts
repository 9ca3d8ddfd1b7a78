/** What each step of a run does. A step reads what is known, and returns what it found out; it writes nothing else. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Passage, PassageHit } from '../../../engine/ports.ts';
import { findEvidence, sufficiencyOf } from '../../../engine/rag/answer.ts';
import { followUp } from '../../../engine/rag/follow-up.ts';
import type { DraftSentence, Memory, StepName } from '../../../engine/rag/graph.ts';
import { type Question, readQuestion } from '../../../engine/rag/question.ts';
import { keysOfSection } from '../../../engine/rag/references.ts';
import type { Analyzers } from '../../../engine/rag/terms.ts';
import { type Sources, type Verdict, verifySentence } from '../../../engine/rag/verify.ts';
import { pageOf, type StoredText } from '../../document-text.ts';
import { cite, type Retrieved, retrieve } from '../regulation/ask.ts';
import type { AnswerSources } from '../regulation/sources.ts';
import type { AnswerEvent } from './answer.ts';
import type { SiteFacts } from './site-facts.ts';
import type { Run } from './store.ts';
import type { Writer } from './write.ts';

export type StepDeps = {
  sources: AnswerSources;
  analyzers: Analyzers;
  log: Pick<Logger, 'warn'>;
  /** Null: quotes only. */
  writer: Writer | null;
  site: SiteFacts;
};
export type StepRun = Pick<Run, 'id' | 'person' | 'question' | 'language' | 'memory'> & {
  tenant: string;
  interactive: boolean;
  before: () => Promise<string | null>;
  tell: (event: AnswerEvent) => void;
  signal: AbortSignal;
};
type StepWork = (deps: StepDeps, run: StepRun) => Promise<Memory>;

/** From when on what was found by words is shown before the models have had their say. */
const EARLY_MS = 120;
const READ = 12;
const SHOWN = 5;
const ALIKE = 0.6;

export const STEPS: Readonly<Record<StepName, StepWork>> = { plan, retrieve: read, solve, critic, finish };

async function plan({ site }: StepDeps, { question, before }: StepRun): Promise<Memory> {
  const route = site.concerns(question) ? 'site' : 'documents';
  return { route, earlier: await before() };
}

/** The question as it is meant: with what it leaves to the one before. */
export function questionOf({ question, memory }: Pick<StepRun, 'question' | 'memory'>, analyzers: Analyzers): Question {
  // What was redacted says nothing about the subject.
  const asked = readQuestion(question.replace(/\[(?:mail|phone|meter|account|name)\]/g, ' '), analyzers);
  return followUp(asked, memory.earlier ? readQuestion(memory.earlier, analyzers) : null);
}

/** @param by_words without waiting for any model */
async function retrieved(
  { sources, analyzers }: StepDeps,
  run: StepRun,
  by_words = false,
): Promise<Retrieved & { question: Question }> {
  const question = questionOf(run, analyzers);
  await sources.ready(run.tenant);
  const versions = await versionsOn(sources, run);
  const { hits, weights } = await retrieve(sources.index, run.tenant, question, { versions, by_words });
  const { choice } = run.memory;
  return { question, weights, hits: choice ? hits.filter(({ passage }) => passage.document === choice) : hits };
}

/** Which version of each document may answer, where the question is about a day; undefined: those of today. */
async function versionsOn({ versions }: AnswerSources, { tenant, memory }: StepRun) {
  if (!memory.as_of) return undefined;
  const [now, then] = [await versions(tenant), await versions(tenant, memory.as_of)];
  return new Map([...now.keys(), ...then.keys()].map((document) => [document, then.get(document) ?? null]));
}

async function read(deps: StepDeps, run: StepRun): Promise<Memory> {
  if (run.memory.route === 'site') return { read: [], sufficient: true, reason: null };
  const finding = retrieved(deps, run);
  await tellEarly(deps, run, finding);
  const { question, hits, weights } = await finding;
  const { sufficient, confidence, ...found } = sufficiencyOf(question, hits, weights, deps.analyzers);
  const isEmpty = found.reason === 'no_documents' && (await deps.sources.versions(run.tenant)).size === 0;
  const reason = found.reason === 'no_documents' && !isEmpty ? 'not_covered' : found.reason;
  run.tell({ event: 'sources', data: { passages: hits.slice(0, SHOWN).map(nearest) } });
  const options = run.interactive && !run.memory.choice ? choicesIn(question, hits) : null;
  return {
    read: hits.slice(0, READ).map(({ passage, score }) => ({ id: passage.id, score: Math.round(score * 1000) / 1000 })),
    ...{ sufficient, reason, confidence, options },
  };
}

/** A model that takes its time keeps nobody from seeing what the words alone find. */
async function tellEarly(deps: StepDeps, run: StepRun, finding: Promise<unknown>): Promise<void> {
  const is_over = finding.then(
    () => true,
    () => true,
  );
  if (await Promise.race([is_over, sleep(EARLY_MS, false, { ref: false })])) return;
  const { hits } = await retrieved(deps, run, true);
  run.tell({ event: 'sources', data: { passages: hits.slice(0, SHOWN).map(nearest) } });
}

export function nearest({ passage, score }: PassageHit) {
  const { id, document, document_title, version, page, section, text } = passage;
  return {
    passage: id,
    document,
    document_title,
    version,
    page,
    section,
    text,
    score: Math.round(score * 1000) / 1000,
  };
}

/** Documents that all have the place that is named, about equally near: only a person knows which is meant. */
function choicesIn({ references }: Question, hits: readonly PassageHit[]): Memory['options'] {
  const keys = new Set(references.map(({ key }) => key));
  if (keys.size === 0) return null;
  const named = hits.filter(({ passage }) => keysOfSection(passage.section).some((key) => keys.has(key)));
  const best = named[0]?.score ?? 0;
  const documents = new Map(
    named
      .filter(({ score }) => score >= ALIKE * best)
      .map(({ passage }) => [passage.document, passage.document_title] as const),
  );
  if (documents.size < 2) return null;
  return [...documents].slice(0, 6).map(([id, label]) => ({ id, label }));
}

async function solve(deps: StepDeps, run: StepRun): Promise<Memory> {
  if (run.memory.route === 'site') {
    const drafted = await deps.site.sentences(run.tenant, run.question, run.language);
    return { drafted, model: null, model_fault: null };
  }
  const found = await retrieved(deps, run);
  const { writer } = deps;
  const written = writer && (await writer.ready()) ? await writeWith(deps, writer, run, found) : null;
  if (written?.drafted) return written;
  const drafted = await extracted(deps, run, found);
  return { drafted, model: null, model_fault: written?.model_fault ?? null, audit_id: written?.audit_id ?? null };
}

async function writeWith(
  deps: StepDeps,
  writer: Writer,
  run: StepRun,
  { question, hits }: Retrieved & { question: Question },
): Promise<Memory> {
  const verifier = createVerifier(
    deps,
    run.tenant,
    hits.slice(0, READ).map(({ passage }) => passage),
  );
  let index = 0;
  const { drafted, fault, model, audit_id } = await writer.write({
    ...{ tenant: run.tenant, run: run.id, person: run.person, question, hits: hits.slice(0, READ) },
    ...{ nonce: randomBytes(6).toString('hex'), signal: run.signal },
    onTokens: (tokens) => run.tell({ event: 'progress', data: { tokens } }),
    async onSentence(sentence) {
      const [placed] = await verifier.placed([sentence]);
      if (!placed || !verifier.verdict(placed).ok) return;
      run.tell({ event: 'sentence', data: { ...shown(placed), index } });
      index += 1;
    },
  });
  if (fault) return { model_fault: fault, audit_id };
  return { drafted: drafted ?? [], model, model_fault: null, audit_id };
}

async function extracted(
  { sources, analyzers }: StepDeps,
  { tenant }: StepRun,
  { question, hits, weights }: Retrieved & { question: Question },
): Promise<DraftSentence[]> {
  const drafted: DraftSentence[] = [];
  const textOf = sources.textOf(tenant);
  for (const evidence of findEvidence(question, hits, weights, analyzers)) {
    const citation = await cite(evidence, textOf);
    if (!citation) continue;
    const text = citation.quote.replace(/\s+/g, ' ').trim();
    drafted.push({ text, citations: [{ ...citation, passage: evidence.hit.passage.id }] });
  }
  return drafted;
}

export function shown({ text, citations, figures = [] }: DraftSentence) {
  return { text, citations: citations.map((one) => ({ ...one })), figures: [...figures] };
}

/** Holds every sentence against what stands in the database now, not against what the search said. */
async function critic(deps: StepDeps, run: StepRun): Promise<Memory> {
  const { drafted = [], read: known = [] } = run.memory;
  if (run.memory.route === 'site') return { passed: drafted.filter(deps.site.holds), dropped: [] };
  const { hits } = await retrieved(deps, run);
  const ids = [
    ...new Set([
      ...known.map(({ id }) => id),
      ...drafted.flatMap(({ citations }) => citations.map(({ passage }) => passage)),
    ]),
  ];
  const answering = await deps.sources.versions(run.tenant);
  const asked = new Map(
    hits
      .filter(({ passage }) => answering.get(passage.document) !== passage.version)
      .map(({ passage }) => [passage.document, passage.version]),
  );
  const passages = await deps.sources.citable(run.tenant, ids, asked);
  const verifier = createVerifier(deps, run.tenant, passages);
  const passed: DraftSentence[] = [];
  const dropped: { text: string; fault: Exclude<Verdict, { ok: true }>['fault'] }[] = [];
  for (const sentence of await verifier.placed(drafted)) {
    const verdict = verifier.verdict(sentence);
    if (verdict.ok) passed.push(sentence);
    else dropped.push({ text: sentence.text, fault: verdict.fault });
  }
  if (run.memory.audit_id)
    await deps.writer?.judged(run.tenant, run.memory.audit_id, [
      ...passed.map(({ text }) => ({ text, ok: true, fault: null })),
      ...dropped.map((one) => ({ ...one, ok: false })),
    ]);
  // What the writer let through was told already.
  if (!run.memory.model)
    passed.forEach((one, index) => {
      run.tell({ event: 'sentence', data: { ...shown(one), index } });
    });
  return { passed, dropped };
}

/** Verifies against `passages`, with the pages and the very text of their versions. */
function createVerifier({ sources, analyzers }: StepDeps, tenant: string, passages: readonly Passage[]) {
  const byId = new Map(passages.map((passage) => [passage.id, passage]));
  const texts = new Map<string, StoredText | null>();
  const keyOf = ({ document, version }: Pick<Passage, 'document' | 'version'>) => `${document} ${version}`;
  const textOf = sources.textOf(tenant);
  const load = async (place: Pick<Passage, 'document' | 'version'>) => {
    const key = keyOf(place);
    if (!texts.has(key)) texts.set(key, await textOf(place.document, place.version));
    return texts.get(key) ?? null;
  };
  const held: Sources = {
    passage: (id) => byId.get(id) ?? null,
    pageOf: (passage, start) => {
      const stored = texts.get(keyOf(passage));
      return stored ? pageOf(stored, start) : passage.page;
    },
  };
  return {
    /** With the page on which each quote really begins. */
    async placed(drafted: readonly DraftSentence[]): Promise<DraftSentence[]> {
      const placed: DraftSentence[] = [];
      for (const sentence of drafted) {
        const citations = [];
        for (const citation of sentence.citations) {
          const stored = byId.has(citation.passage) ? await load(citation) : null;
          citations.push(stored ? { ...citation, page: pageOf(stored, citation.start) } : citation);
        }
        placed.push({ ...sentence, citations });
      }
      return placed;
    },
    verdict(sentence: DraftSentence): Verdict {
      const verdict = verifySentence(sentence, held, analyzers);
      const altered = sentence.citations.find(
        ({ document, version, start, end, quote }) =>
          texts.get(`${document} ${version}`)?.text.slice(start, end) !== quote,
      );
      return verdict.ok && altered ? { ok: false, fault: 'quote_altered', what: altered.quote } : verdict;
    },
  };
}

async function finish(_: StepDeps, { memory }: StepRun): Promise<Memory> {
  return { status: (memory.passed?.length ?? 0) > 0 ? 'answered' : 'abstained' };
}
