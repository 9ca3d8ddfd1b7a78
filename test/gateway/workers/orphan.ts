/** Begins to read something that takes very long; its parent is killed meanwhile. */
import { createDocumentReader } from '../../../gateway/workers/document-reader.ts';
import { pdfBombs } from '../box/bombs/pdf.ts';

const bomb = pdfBombs().find(({ name }) => name.startsWith('forms that draw each other'));
const file = (bomb!.body as FormData).get('file') as File;
const reader = createDocumentReader();
process.stdout.write('reading\n');
await reader.read({ bytes: new Uint8Array(await file.arrayBuffer()), format: 'pdf' }).catch(() => {});
