// @ts-check
/** Draws one page of a PDF on a canvas; the marks lie over it and scale with it. */
const MOST_PIXELS = 8_000_000;

class LunaPage extends HTMLElement {
  async connectedCallback() {
    const { file, page, library, worker } = /** @type {Record<string, string>} */ ({ ...this.dataset });
    const pdf = await import(library);
    pdf.GlobalWorkerOptions.workerSrc = worker;
    const bytes = await (await fetch(file)).arrayBuffer();
    // What a PDF takes for granted (Times, Helvetica, …) no phone has: the reader brings it along.
    const standardFontDataUrl = library.replace(/[^/]*$/, '');
    const options = { isEvalSupported: false, disableFontFace: false, useSystemFonts: false, standardFontDataUrl };
    const sheet = await (await pdf.getDocument({ data: bytes, ...options }).promise).getPage(Number(page));
    const width = this.clientWidth || 800;
    const natural = sheet.getViewport({ scale: 1 });
    const wanted = (width / natural.width) * Math.min(2, window.devicePixelRatio || 1);
    const scale = Math.min(wanted, Math.sqrt(MOST_PIXELS / (natural.width * natural.height)));
    const viewport = sheet.getViewport({ scale });
    const canvas = /** @type {HTMLCanvasElement} */ (this.querySelector('canvas'));
    canvas.width = Math.ceil(viewport.width);
    canvas.height = Math.ceil(viewport.height);
    await sheet.render({ canvas, canvasContext: canvas.getContext('2d'), viewport }).promise;
    this.dataset.drawn = 'true';
    this.querySelector('rect')?.scrollIntoView({ block: 'center' });
  }
}
customElements.define('luna-page', LunaPage);
