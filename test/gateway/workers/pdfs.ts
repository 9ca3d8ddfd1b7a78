/** PDFs made for tests: text on lines, heads and feet, two columns; and the ones that must be refused. */
import { constants, deflateRawSync } from 'node:zlib';
import {
  PDFDocument,
  PDFHexString,
  PDFName,
  PDFRawStream,
  StandardFonts,
  setTextRenderingMode,
  TextRenderingMode,
} from 'pdf-lib';

/** `y` counts from the top, in points. */
export type Print = { text: string; x?: number; y: number; size?: number; bold?: boolean };
export const PAGE = { width: 595, height: 842 };

export async function pdfOf(pages: readonly (readonly Print[])[]): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const [plain, bold] = [
    await pdf.embedFont(StandardFonts.Helvetica),
    await pdf.embedFont(StandardFonts.HelveticaBold),
  ];
  for (const prints of pages) {
    const page = pdf.addPage([PAGE.width, PAGE.height]);
    for (const { text, x = 72, y, size = 11, bold: isBold = false } of prints)
      page.drawText(text, { x, y: PAGE.height - y, size, font: isBold ? bold : plain });
  }
  return pdf.save();
}

/** Lines of running text below each other, 14 points apart. */
export function linesAt(y: number, lines: readonly string[], more: Partial<Print> = {}): Print[] {
  return lines.map((text, i) => ({ text, y: y + i * 14, ...more }));
}

/** Asks for a password that nobody has. */
export async function encryptedPdf(): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  pdf.addPage();
  const secret = PDFHexString.of('5a'.repeat(32));
  pdf.context.trailerInfo.Encrypt = pdf.context.register(
    pdf.context.obj({ Filter: PDFName.of('Standard'), V: 1, R: 2, O: secret, U: secret, P: -4 }),
  );
  pdf.context.trailerInfo.ID = pdf.context.obj([PDFHexString.of('00'.repeat(16)), PDFHexString.of('00'.repeat(16))]);
  return pdf.save({ useObjectStreams: false });
}

/** A page whose content unpacks to `megabytes` from some kilobytes. */
export async function bombPdf(megabytes: number): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const page = pdf.addPage();
  const chunk = deflateRawSync(Buffer.alloc(1_000_000, ' '), { finishFlush: constants.Z_FULL_FLUSH });
  const packed = Buffer.concat([Buffer.from([0x78, 0x9c]), ...Array.from({ length: megabytes }, () => chunk)]);
  const stream = PDFRawStream.of(pdf.context.obj({ Filter: 'FlateDecode', Length: packed.length }), packed);
  page.node.set(PDFName.of('Contents'), pdf.context.register(stream));
  return pdf.save({ useObjectStreams: false });
}

/** A page with a table of two columns and two rows drawn at (70, 95); `hidden` writes as text recognition does. */
export async function drawnPdf(prints: readonly Print[], hidden = false): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  const [bold, page] = [await pdf.embedFont(StandardFonts.HelveticaBold), pdf.addPage([PAGE.width, PAGE.height])];
  for (const y of [95, 125, 155])
    page.drawLine({ start: { x: 70, y: PAGE.height - y }, end: { x: 330, y: PAGE.height - y }, thickness: 0.5 });
  for (const x of [70, 200, 330])
    page.drawLine({ start: { x, y: PAGE.height - 95 }, end: { x, y: PAGE.height - 155 }, thickness: 0.5 });
  if (hidden) page.pushOperators(setTextRenderingMode(TextRenderingMode.Invisible));
  for (const [i, { text, x = 72, y }] of prints.entries())
    page.drawText(text, { x, y: PAGE.height - y, size: 11, font: i < 2 && !hidden ? bold : font });
  return pdf.save();
}
