/** The glossary of each organisation: the entries that the box came with, and its own changes. */
import type { GlossaryEntry } from '../../../engine/rag/glossary.ts';
import { GLOSSARY } from '../../../engine/rag/glossary-entries.ts';
import type { Language } from '../../../engine/rag/language.ts';
import type { Actor, AuditService, Base } from '../../services.ts';
import type { GlossaryItem } from '../retrieval.ts';
import { dropGlossaryRow, glossaryRows, saveGlossaryRow } from './store.ts';

export type Glossaries = {
  /** The same array for as long as nothing changed. */
  of(tenant: string): Promise<readonly GlossaryItem[]>;
  save(actor: Actor, entry: GlossaryEntry): Promise<void>;
  /** Also one that the box came with. */
  remove(actor: Actor, language: Language, lay: string): Promise<void>;
};

export function createGlossaries({
  db,
  clock,
  audit,
}: Pick<Base, 'db' | 'clock'> & { audit: Pick<AuditService, 'record'> }): Glossaries {
  const known = new Map<string, readonly GlossaryItem[]>();
  return {
    async of(tenant) {
      const items = known.get(tenant) ?? itemsOf(await db.asTenant(tenant, glossaryRows));
      known.set(tenant, items);
      return items;
    },
    async save(actor, { lay, legal, language }) {
      const row = { lay, legal, language, changed_by: actor.person, changed_at: new Date(clock.now()) };
      await db.asTenant(actor.tenant, (sql) => saveGlossaryRow(sql, actor.tenant, row));
      known.delete(actor.tenant);
      await audit.record(actor, 'glossary.save', lay, { language, legal });
    },
    async remove(actor, language, lay) {
      const isOfBox = GLOSSARY.some((one) => one.language === language && one.lay.toLowerCase() === lay.toLowerCase());
      const row = { lay, legal: [], language, changed_by: actor.person, changed_at: new Date(clock.now()) };
      await db.asTenant(actor.tenant, (sql) =>
        isOfBox ? saveGlossaryRow(sql, actor.tenant, row) : dropGlossaryRow(sql, language, lay),
      );
      known.delete(actor.tenant);
      await audit.record(actor, 'glossary.remove', lay, { language });
    },
  };
}

function itemsOf(rows: Awaited<ReturnType<typeof glossaryRows>>): GlossaryItem[] {
  const changed = new Set(rows.map(({ language, lay }) => `${language} ${lay.toLowerCase()}`));
  return [
    ...rows.filter(({ legal }) => legal.length > 0).map(({ changed_at: _, ...row }) => ({ ...row, own: true })),
    ...GLOSSARY.filter(({ language, lay }) => !changed.has(`${language} ${lay.toLowerCase()}`)).map((entry) => ({
      ...entry,
      own: false,
      changed_by: null,
    })),
  ];
}
