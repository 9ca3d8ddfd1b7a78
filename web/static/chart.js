// @ts-check
/**
 * <luna-chart>: reads exact values of a chart drawn on the server. The values stand in its table; pointer and arrow
 * keys choose a row, which is marked in every plot and said under the chart.
 */
class LunaChart extends HTMLElement {
  #row = -1;

  connectedCallback() {
    this.addEventListener('pointermove', (event) => this.#point(event));
    this.addEventListener('pointerdown', (event) => this.#point(event));
    this.addEventListener('pointerleave', () => this.#show(-1));
    this.addEventListener('keydown', (event) => this.#key(event));
    this.addEventListener('focusout', () => this.#show(-1));
  }

  get #rows() {
    return /** @type {NodeListOf<HTMLTableRowElement>} */ (this.querySelectorAll('tr[data-at]'));
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const area = this.querySelector('.area');
    if (!area || !(event.target instanceof Element) || !event.target.closest('.chart-focus')) return;
    const box = area.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    if (share < -0.02 || share > 1.02) return;
    const { from, to } = this.#range();
    this.#show(this.#rowAt(from + share * (to - from)));
  }

  #range() {
    return { from: Number(this.dataset.from), to: Number(this.dataset.to) };
  }

  /** @param {number} at */
  #rowAt(at) {
    const rows = this.#rows;
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (Number(rows[middle].dataset.at) <= at) low = middle;
      else high = middle - 1;
    }
    return rows.length ? low : -1;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!(event.target instanceof Element) || !event.target.matches('.chart-focus')) return;
    const rows = this.#rows;
    const here = this.#row >= 0 ? this.#row : this.#rowAt(Number(this.dataset.now || this.dataset.from));
    /** @type {Record<string, number>} */
    const places = {
      ArrowLeft: here - 1,
      ArrowRight: here + 1,
      ArrowDown: here - 1,
      ArrowUp: here + 1,
      PageDown: here - 4,
      PageUp: here + 4,
      Home: 0,
      End: rows.length - 1,
    };
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    this.#show(Math.min(Math.max(place, 0), rows.length - 1));
  }

  /** @param {number} index */
  #show(index) {
    if (index === this.#row) return;
    this.#row = index;
    const row = this.#rows[index];
    const { from, to } = this.#range();
    for (const cross of this.querySelectorAll('.cross')) {
      cross.classList.toggle('on', Boolean(row));
      if (!row) continue;
      const middle = (Number(row.dataset.at) + Number(row.dataset.to)) / 2;
      const x = `${((middle - from) / (to - from)) * 100}%`;
      cross.setAttribute('x1', x);
      cross.setAttribute('x2', x);
    }
    this.#say(row);
  }

  /** @param {HTMLTableRowElement | undefined} row */
  #say(row) {
    const out = /** @type {HTMLElement | null} */ (this.querySelector('.readout'));
    const focus = this.querySelector('.chart-focus');
    if (!out) return;
    if (!row) {
      out.textContent = out.dataset.hint ?? '';
      return;
    }
    const names = [...this.querySelectorAll('thead th')].map((cell) => cell.textContent ?? '');
    const cells = [...row.cells].map((cell) => cell.textContent ?? '');
    out.replaceChildren(
      ...cells.flatMap((text, i) => {
        if (i > 0 && text === '–') return [];
        const part = document.createElement('span');
        const value = document.createElement('b');
        value.textContent = text;
        part.append(i === 0 ? '' : `${names[i]} `, value);
        return [part];
      }),
    );
    focus?.setAttribute('aria-valuenow', String(this.#row));
    focus?.setAttribute(
      'aria-valuetext',
      cells.flatMap((text, i) => (i === 0 ? text : text === '–' ? [] : `${names[i]} ${text}`)).join(', '),
    );
  }
}

if (!customElements.get('luna-chart')) customElements.define('luna-chart', LunaChart);
