import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import type { Passage, PassageIndex } from '../../../engine/ports.ts';
import { passagesOfInterest } from '../../../gateway/services/advice/interests.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';

const NOW = Date.UTC(2026, 5, 10);
const DAY_MS = 86_400_000;
const passage = (id: string, document: string, page: number, text: string): Passage => ({
  ...{ id, document, document_title: `Title ${document}`, version: '1', page, section: `§ ${id}` },
  ...{ text, start: 0, end: text.length, language: 'en' },
});
const PASSAGES = [
  passage('p1', 'law', 1, 'A change of supplier must be completed within twenty-four hours of the request.'),
  passage('p2', 'law', 2, 'The supplier change is free of charge for every customer who asks for it.'),
  passage('p3', 'law', 3, 'A change of supplier on a bank holiday counts as made on the next working day.'),
  passage('p4', 'code', 1, 'Heat pumps are controllable consumers; the grid operator may limit their power.'),
  passage('p5', 'code', 2, 'Solar plants above one hundred kilowatts need a remote control.'),
];

let test: TestDatabase;
let index: PassageIndex;
beforeAll(async () => {
  test = await openTestDatabase();
  await test.db.asSystem((sql) => sql(`insert into tenant (id, name) values ('default', 'W') on conflict do nothing`));
  index = createEmbeddedPassages();
  await index.add('default', PASSAGES);
});
afterAll(async () => {
  await index?.close();
  await test?.close();
});
beforeEach(() => test.db.asTenant('default', (sql) => sql('delete from usage_event')));

let count = 0;
const event = (person: string, kind: 'question' | 'view', object: string, detail: object = {}, age_ms = 0) =>
  test.db.asTenant('default', (sql) =>
    sql(
      `insert into usage_event (tenant_id, id, at, person, kind, object, detail)
       values ('default', $1, to_timestamp($2 / 1000.0), $3, $4, $5, $6)`,
      [`e${++count}`, NOW - age_ms, person, kind, object, JSON.stringify(detail)],
    ),
  );
const hints = (person: string | null, limit = 5, skip?: ReadonlySet<string>) =>
  passagesOfInterest(
    { db: test.db, clock: { now: () => NOW }, similar: (tenant, text, most) => index.search(tenant, text, most) },
    ...(['default', person, limit, skip] as const),
  );

it('recommends what is close to a question, with the reason, at most two of a document', async () => {
  await event('anna', 'question', 'How long may a change of supplier take?');
  const found = await hints('anna');
  expect(found.map(({ id }) => id).slice(0, 1)).toEqual(['p1']);
  expect(found.filter(({ document }) => document === 'law')).toHaveLength(2);
  expect(found[0]).toMatchObject({
    because: { kind: 'question', text: 'How long may a change of supplier take?' },
    quote: PASSAGES[0]!.text,
  });
  for (const { relevance } of found) expect(relevance > 0 && relevance <= 1).toBe(true);
});

it('does not tell one person what another asked, but the site learns from all', async () => {
  await event('anna', 'question', 'How long may a change of supplier take?');
  expect(await hints('ernst')).toEqual([]);
  expect((await hints(null)).length).toBeGreaterThan(0);
});

it('leaves out pages that were read and passages that are known, and forgets after ninety days', async () => {
  await event('anna', 'question', 'How long may a change of supplier take?');
  await event('anna', 'view', 'document:law', { title: 'Title law', page: 1, quote: PASSAGES[0]!.text });
  const found = (await hints('anna')).map(({ id }) => id);
  expect(found).not.toContain('p1');
  expect(found).toContain('p2');
  expect((await hints('anna', 5, new Set(['p2']))).map(({ id }) => id)).not.toContain('p2');
  await test.db.asTenant('default', (sql) => sql('delete from usage_event'));
  await event('anna', 'question', 'How long may a change of supplier take?', {}, 91 * DAY_MS);
  expect(await hints('anna')).toEqual([]);
});

it('weighs what was asked lately more', async () => {
  await event('anna', 'question', 'May the grid operator limit heat pumps?', {}, 40 * DAY_MS);
  await event('anna', 'question', 'Is a change of supplier free of charge?', {}, DAY_MS);
  const found = await hints('anna');
  expect(found[0]?.document).toBe('law');
  expect(found.find(({ id }) => id === 'p4')!.relevance).toBeLessThan(found[0]!.relevance / 2);
});
