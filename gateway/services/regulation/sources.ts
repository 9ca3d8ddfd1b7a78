/** What answers are made of: the passages of a tenant, and which of them may be cited now. */
import { NotFoundError } from '../../../engine/errors.ts';
import type { Passage, PassageIndex } from '../../../engine/ports.ts';
import type { Base } from '../../services.ts';
import type { TextOf } from './ask.ts';
import type { DocumentFiles } from './files.ts';
import { answeringVersions, versionOf } from './store.ts';

export type AnswerSources = {
  index: Pick<PassageIndex, 'search' | 'rarity' | 'otherwise'>;
  /** Resolves once the tenant's passages are in the index. */
  ready(tenant: string): Promise<void>;
  textOf(tenant: string): TextOf;
  /** Those of `ids` that stand in Postgres now, in a version that answers or that `asked` names per document. */
  citable(tenant: string, ids: readonly string[], asked?: ReadonlyMap<string, string>): Promise<Passage[]>;
  /** The version that answers on a day, by document; now where none is given. */
  versions(tenant: string, day?: string): Promise<Map<string, string>>;
};

type Deps = Pick<Base, 'db' | 'log'> & {
  files: Pick<DocumentFiles, 'text'>;
  index: AnswerSources['index'];
  ready(tenant: string): Promise<void>;
};

export function createAnswerSources({ db, log, files, index, ready }: Deps): AnswerSources {
  const versions: AnswerSources['versions'] = async (tenant, day) => {
    const rows = await db.asTenant(tenant, (sql) => answeringVersions(sql, day));
    return new Map(rows.map(({ document, version }) => [document, version]));
  };
  return {
    index,
    ready,
    versions,
    textOf: (tenant) => async (document, version, reader) => {
      try {
        const row = await db.asTenant(tenant, (sql) => versionOf(sql, document, version));
        // What a passage was cut from: while a newer reader takes over, both texts are there.
        return await files.text({ ...row, reader: reader === undefined ? row.reader : reader });
      } catch (error) {
        if (!(error instanceof NotFoundError))
          log.error({ err: error, tenant_id: tenant, document, version }, 'the text of a document cannot be read');
        return null;
      }
    },
    async citable(tenant, ids, asked = new Map()) {
      if (ids.length === 0) return [];
      const [answering, rows] = await Promise.all([
        versions(tenant),
        db.asTenant(tenant, (sql) => sql<Passage>(BY_ID, [ids])),
      ]);
      return rows.filter(
        ({ document, version }) => answering.get(document) === version || asked.get(document) === version,
      );
    },
  };
}

const BY_ID = `
  select p.id, p.document_id as document, d.title as document_title, p.version, p.page, p.section, p.text,
    p.start_at as start, p.end_at as "end", v.language
  from passage p
    join document d on d.tenant_id = p.tenant_id and d.id = p.document_id
    join document_version v on v.tenant_id = p.tenant_id and v.document_id = p.document_id and v.version = p.version
  where p.id = any($1) and v.state = 'ready'`;
