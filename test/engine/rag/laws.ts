/** The German laws and EU acts of the benchmark data, read and indexed as the box does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import type { PassageIndex } from '../../../engine/ports.ts';
import { documentOfText, type ReadDocument } from '../../../engine/rag/document.ts';
import { namePassages } from '../../../engine/rag/passages.ts';

const LAWS: Record<string, string> = {
  EnWG: 'Energiewirtschaftsgesetz (EnWG)',
  EEG_2023: 'Erneuerbare-Energien-Gesetz (EEG 2023)',
  MsbG: 'Messstellenbetriebsgesetz (MsbG)',
  StromNEV: 'Stromnetzentgeltverordnung (StromNEV)',
  EnFG: 'Energiefinanzierungsgesetz (EnFG)',
  StromStG: 'Stromsteuergesetz (StromStG)',
  EnEfG: 'Energieeffizienzgesetz (EnEfG)',
  NELEV: 'Elektrotechnische-Eigenschaften-Nachweis-Verordnung (NELEV)',
};
const ACTS: Record<string, string> = {
  '32019R0943': 'Regulation (EU) 2019/943 on the internal market for electricity',
  '32019L0944': 'Directive (EU) 2019/944 on the internal market for electricity',
  '32018L2001': 'Directive (EU) 2018/2001 on renewable energy',
  '32011R1227': 'Regulation (EU) No 1227/2011 REMIT',
};
export const TENANT = 'default';

export async function openLaws(data: string): Promise<{ index: PassageIndex; documents: Map<string, ReadDocument> }> {
  const index = createEmbeddedPassages();
  const documents = new Map<string, ReadDocument>();
  const read = (file: string) => gunzipSync(readFileSync(join(data, 'regulation', file))).toString('utf8');
  const add = async (title: string, document: ReadDocument) => {
    documents.set(title, document);
    const of = { document: title, document_title: title, version: '1', language: document.language };
    await index.add(TENANT, namePassages(document.passages, of));
  };
  for (const [law, title] of Object.entries(LAWS))
    await add(title, documentOfText(read(`de_law/${law}.md.gz`), 'markdown'));
  for (const [celex, title] of Object.entries(ACTS)) {
    const { reference } = JSON.parse(read(`eu/${celex}.json.gz`)) as { reference: string };
    await add(title, documentOfText(reference, 'text'));
  }
  return { index, documents };
}
