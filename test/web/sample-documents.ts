/** Documents, questions and files of the sample building: one real PDF, answers in each of their shapes. */
import { readFile } from 'node:fs/promises';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { Clock, Database, FileStore, Passage } from '../../engine/ports.ts';
import type { DocumentVersionState } from '../../gateway/services/regulation.ts';
import type { Answer, DocumentState, Services } from '../../gateway/services.ts';

const DAY_MS = 24 * HOUR_MS;
const TITLE = 'Energiewirtschaftsgesetz (Auszug)';
export const QUOTE = 'The operator may reduce the power drawn by a controllable device to no less than 4.2 kilowatts.';
const LINES = [
  'Section 14a  Network-oriented control of controllable devices',
  '',
  'Operators of a distribution network shall grant a reduced network charge to those who agree to',
  'the control of devices such as charging points, heat pumps and batteries.',
  '',
  QUOTE,
  'Other consumption behind the same connection is not concerned.',
];

function sampleDocuments(now_ms: number): DocumentState[] {
  const common = {
    ...{ language: 'en', reason: null, uploaded_by: 'anna', demo: false, state: 'ready' as const, format: 'pdf' },
    ...{ valid_from: null, valid_to: null, replaced_by: null, standing: null, faults: [], ocr_pages: 0 },
    ...{ shared: false, own: true, stage: null, others: [] },
  };
  return [
    {
      ...common,
      id: 'd1',
      title: TITLE,
      version: '2026-01-01',
      pages: 2,
      uploaded_ms: now_ms - 20 * DAY_MS,
      passages: 214,
      standing: 'in_force',
      valid_from: '2026-01-01',
      others: [oldVersion(now_ms)],
    },
    {
      ...common,
      id: 'd2',
      title: 'Netzanschlussvertrag <Hafenhaus>',
      version: '3',
      pages: null,
      uploaded_ms: now_ms - 3 * DAY_MS,
      passages: 41,
      standing: 'ended',
      valid_from: '2019-04-01',
      valid_to: '2025-12-31',
      ocr_pages: 3,
      faults: [{ where: 'page 4', problem: 'Two tables run into one another; their cells may be mixed up.' }],
    },
    {
      ...common,
      id: 'd3',
      title: 'Tariff sheet of the network operator',
      version: '2026',
      pages: 12,
      uploaded_ms: now_ms - 40_000,
      passages: 0,
      state: 'reading',
      stage: { name: 'extract', done: 5, total: 12 },
    },
    {
      ...common,
      id: 'd4',
      title: 'Scan of the old contract',
      version: '1',
      pages: 9,
      uploaded_ms: now_ms - 2 * HOUR_MS,
      passages: 0,
      state: 'refused',
      reason: 'The pages are pictures without text. Upload a version with text (OCR).',
    },
  ];
}

function oldVersion(now_ms: number): DocumentVersionState {
  return {
    ...{ language: 'en', format: 'pdf' },
    ...{ version: '2022-04-01', state: 'ready', reason: null, pages: 2, passages: 190, uploaded_by: 'anna' },
    ...{ standing: 'replaced', valid_from: '2022-04-01', valid_to: '2025-12-31', replaced_by: '2026-01-01' },
    ...{ uploaded_ms: now_ms - 400 * DAY_MS, faults: [], ocr_pages: 0 },
  };
}

async function samplePdf(): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  for (let number = 1; number <= 2; number++) {
    const page = pdf.addPage([595, 842]);
    for (const [i, line] of LINES.entries())
      page.drawText(line, { x: 60, y: 760 - i * 20, size: i === 0 ? 14 : 11, font });
    page.drawText(`Page ${number}`, { x: 280, y: 40, size: 9, font });
  }
  return pdf.save();
}

const PASSAGE = {
  document: 'd1',
  document_title: TITLE,
  version: '2026-01-01',
  page: 1,
  section: '§ 14a Network-oriented control',
};

export const READ: Passage = {
  ...PASSAGE,
  id: 'd1:2026-01-01:0',
  text: `${LINES[2]} ${LINES[3]}`,
  start: 0,
  end: 150,
  language: 'en',
};

/** Abstains from what it does not know: whatever does not ask for power. */
export function answerTo(question: string): Answer {
  if (/power|leistung/i.test(question))
    return {
      status: 'answered',
      sentences: [
        { text: QUOTE, citations: [{ ...PASSAGE, quote: QUOTE, start: 0, end: QUOTE.length }] },
        { text: LINES[6]!, citations: [{ ...PASSAGE, quote: LINES[6]!, start: 0, end: LINES[6]!.length }] },
      ],
      nearest: [],
    };
  const nearest = /nothing/i.test(question) ? [] : [{ ...PASSAGE, text: `${LINES[2]} ${LINES[3]}`, score: 3.1 }];
  return { status: 'abstained', sentences: [], nearest };
}

function sampleFiles(): FileStore {
  const kept = new Map<string, Uint8Array>();
  return {
    write: async (tenant, name, bytes) => {
      kept.set(`${tenant}/${name}`, bytes);
    },
    read: async (tenant, name) => {
      const bytes = kept.get(`${tenant}/${name}`);
      if (!bytes) throw new NotFoundError(`There is no file ${name}.`);
      return bytes;
    },
    remove: async (tenant, name) => {
      kept.delete(`${tenant}/${name}`);
    },
    close: async () => {},
  };
}

/** Answers the page of questions with what was asked before, everything else with nothing. */
const ASKED: Database = {
  asTenant: async (_, work) =>
    work(
      async <Row>(text: string) =>
        (text.includes('usage_event') ? [{ object: 'Who pays for the control box?' }] : []) as Row[],
    ),
  asSystem: async (work) => work(async () => []),
  ping: async () => {},
  close: async () => {},
};

export function sampleDocumentServices(clock: Clock): Pick<Services, 'regulation' | 'files' | 'db'> {
  let documents = sampleDocuments(clock.now());
  const documentWith = (id: string) => {
    const found = documents.find((document) => document.id === id);
    if (!found) throw new NotFoundError('There is no such document.');
    return found;
  };
  return {
    files: sampleFiles(),
    db: ASKED,
    regulation: {
      ask: async (_, question) => answerTo(question),
      documents: async () => documents,
      document: async (_, id) => documentWith(id),
      changeVersion: async (_, id) => documentWith(id),
      share: async (_, id) => documentWith(id),
      similar: async (_, text) => (/nothing/i.test(text) ? [] : [{ passage: READ, score: 3.1 }]),
      upload: async (actor, file) => {
        if (('bytes' in file ? file.bytes : await readFile(file.path))[0] === 0x58)
          throw new InvalidDataError('The file is no PDF.', 'Upload a PDF, Markdown or text.');
        const added: DocumentState = {
          ...documents[0]!,
          id: `d${documents.length + 1}`,
          title: file.title ?? file.name,
          uploaded_by: actor.person,
          uploaded_ms: clock.now(),
        };
        documents = [added, ...documents];
        return added;
      },
      remove: async (_, id) => {
        documents = documents.filter((document) => document.id !== id);
      },
      removeVersion: async () => {},
      reindex: async () => ({ documents: 1, passages: 214 }),
      file: async () => ({ bytes: await samplePdf(), name: 'enwg.pdf' }),
      marks: async (_, id, _version, _page, quote) => ({
        width: 595,
        height: 842,
        boxes: id === 'd1' && quote === QUOTE ? [{ x: 58, y: 842 - 660 - 11, width: 470, height: 15 }] : [],
        text: LINES.join('\n'),
      }),
    },
  };
}
