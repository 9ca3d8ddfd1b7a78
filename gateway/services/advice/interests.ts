/**
 * Documents and passages close to what is read and asked: each recent question or page read is a query to the passage
 * index, newer ones weigh more, what was read already is left out.
 */
import type { PassageHit, Sql } from '../../../engine/ports.ts';
import type { PassageHint } from '../../../recommender/context.ts';
import type { Base } from '../../services.ts';

export type Similar = (tenant: string, text: string, limit: number) => Promise<PassageHit[]>;
/** `because`: the question or document that it is close to. */
export type DocumentHint = PassageHint & { because: { kind: 'question' | 'view'; text: string } };
type Interest = {
  kind: 'question' | 'view';
  object: string;
  detail: { quote?: string; title?: string; page?: number };
  at_ms: number;
};

const LOOK_BACK_MS = 90 * 86_400_000;
const HALF_LIFE_MS = 14 * 86_400_000;
const MOST_INTERESTS = 12;
const HITS = 6;
const A_DOCUMENT = 2;
const QUOTE_WORDS = 60;

/**
 * @param person only what this person read and asked; null: everybody of the tenant.
 * @param skip ids of passages that are known already.
 */
export async function passagesOfInterest(
  deps: Pick<Base, 'db' | 'clock'> & { similar: Similar },
  tenant: string,
  person: string | null,
  limit: number,
  skip: ReadonlySet<string> = new Set(),
): Promise<DocumentHint[]> {
  const now_ms = deps.clock.now();
  const events = await deps.db.asTenant(tenant, (sql) => interestsOf(sql, person, now_ms - LOOK_BACK_MS));
  const read = new Set(
    events.filter(({ kind }) => kind === 'view').map(({ object, detail }) => `${object} ${detail.page ?? ''}`),
  );
  const found = new Map<string, DocumentHint>();
  for (const interest of events.slice(0, MOST_INTERESTS)) {
    const text = textOf(interest);
    if (text === '') continue;
    const weight = 0.5 ** ((now_ms - interest.at_ms) / HALF_LIFE_MS);
    const hits = await deps.similar(tenant, text, HITS);
    for (const [rank, { passage }] of hits.entries()) {
      const known = skip.has(passage.id) || read.has(`document:${passage.document} ${passage.page ?? ''}`);
      if (known) continue;
      const share = weight / (1 + 0.35 * rank);
      const before = found.get(passage.id);
      // Near to two interests is nearer than near to one.
      const relevance = before ? 1 - (1 - before.relevance) * (1 - 0.5 * share) : 0.9 * share;
      const because = before?.because ?? { kind: interest.kind, text: interest.detail.title ?? text.slice(0, 200) };
      found.set(passage.id, { ...hintOf(passage), relevance, because });
    }
  }
  return diverse(
    [...found.values()].sort((a, b) => b.relevance - a.relevance),
    limit,
  );
}

async function interestsOf(sql: Sql, person: string | null, since_ms: number): Promise<Interest[]> {
  return sql<Interest>(
    `select kind, object, detail, (extract(epoch from at) * 1000)::bigint as at_ms from usage_event
     where at > to_timestamp($1 / 1000.0) and ($2::text is null or person = $2)
       and (kind = 'question' or (kind = 'view' and object like 'document:%')) order by at desc limit 100`,
    [since_ms, person],
  );
}

function textOf({ kind, object, detail }: Interest): string {
  return (kind === 'question' ? object : (detail.quote ?? detail.title ?? '')).trim().slice(0, 1000);
}

function hintOf({ id, document, document_title, version, page, section, text }: PassageHit['passage']): PassageHint {
  // The first words, as they stand there, so that the page can mark them.
  const quote = text.match(new RegExp(`^(?:\\s*\\S+){1,${QUOTE_WORDS}}`))?.[0].trim() ?? text;
  return { id, document, document_title, version, page, section, quote, relevance: 0 };
}

function diverse(hints: readonly DocumentHint[], limit: number): DocumentHint[] {
  const counts = new Map<string, number>();
  return hints
    .filter(({ document }) => {
      const count = counts.get(document) ?? 0;
      counts.set(document, count + 1);
      return count < A_DOCUMENT;
    })
    .slice(0, limit);
}
