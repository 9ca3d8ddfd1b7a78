/** Documents as rows of the page. */
import type { DocumentRow } from '../../../web/pages/document-row.ts';
import type { DocumentState } from '../../services.ts';

const UNSAID = {
  ...{ standing: null, valid_from: null, valid_to: null, replaced_by: null, faults: [], ocr_pages: 0 },
  ...{ shared: false, own: true, stage: null, others: [] },
};

export function rowsOf(documents: readonly DocumentState[]): DocumentRow[] {
  return documents.map((document) => ({ ...UNSAID, ...document }));
}
