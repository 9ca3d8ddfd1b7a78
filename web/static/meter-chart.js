// @ts-check
/**
 * <luna-zoom>: one series from seconds to years. Fetches the resolution that fits the stretch shown, draws it with
 * uPlot, marks flagged values with their reason, and follows the present while its end is now.
 */

import { formatOf, resolutionOf, withGaps } from './meter-data.js';
import uPlot from './uplot.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** @type {Record<string, number>} */
const RANGES = { hour: HOUR, day: DAY, week: 7 * DAY, month: 31 * DAY, year: 366 * DAY };
const SHORTEST = 30_000;
const LONGEST = 12 * 366 * DAY;
const ROWS = 300;
const MARKS = 6;

class LunaZoom extends HTMLElement {
  /** @type {any} */
  #plot = null;
  /** @type {any} */
  #config;
  #from = 0;
  #to = 0;
  /** Whether the end is the present and moves with it. */
  #following = true;
  #asked = 0;
  #resolution = 'slot';
  /** @type {import('./meter-data.js').Series} */
  #series = { at: [], values: [], marks: [] };
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #fetched = 0;

  connectedCallback() {
    if (this.#config) return;
    this.#config = JSON.parse(this.dataset.config ?? '{}');
    this.#from = this.#config.from;
    this.#to = this.#config.to;
    this.addEventListener('click', (event) => this.#click(event));
    this.#area().addEventListener('keydown', (event) => this.#key(event));
    this.querySelector('details')?.addEventListener('toggle', () => this.#fillTable());
    new ResizeObserver(() => this.#resize()).observe(this.#area());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
    this.#timer = setInterval(() => this.#follow(), 5000);
    this.#load();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#plot?.destroy();
  }

  /** @returns {HTMLElement} */
  #area() {
    return /** @type {HTMLElement} */ (this.querySelector('.zoom-area'));
  }

  /** The box's clock. */
  #now() {
    return Date.now() + Number(document.documentElement.dataset.now) - pageOpened;
  }

  /** @param {number} from @param {number} to */
  #show(from, to) {
    const now = this.#now();
    const length = Math.min(Math.max(to - from, SHORTEST), LONGEST);
    const middle = (from + to) / 2;
    this.#to = Math.min(Math.round(middle + length / 2), Math.ceil(now));
    this.#from = Math.round(this.#to - length);
    this.#following = now - this.#to < 2000;
    for (const button of this.querySelectorAll('[data-range]')) button.setAttribute('aria-pressed', 'false');
    this.#load();
  }

  /** @param {Event} event */
  #click(event) {
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    if (!button) return;
    const { range, act } = button.dataset;
    const length = this.#to - this.#from;
    if (range) {
      const now = this.#now();
      this.#show(now - RANGES[range], now);
      button.setAttribute('aria-pressed', 'true');
    } else if (act === 'earlier') this.#show(this.#from - length * 0.75, this.#to - length * 0.75);
    else if (act === 'later') this.#show(this.#from + length * 0.75, this.#to + length * 0.75);
    else if (act === 'in') this.#show(this.#from + length / 4, this.#to - length / 4);
    else if (act === 'out') this.#show(this.#from - length / 2, this.#to + length / 2);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.#series.at.length - 1;
    if (!this.#plot || last < 0) return;
    const here = this.#plot.cursor.idx ?? last;
    /** @type {Record<string, number>} */
    const places = {
      ArrowLeft: here - 1,
      ArrowRight: here + 1,
      PageUp: here - 10,
      PageDown: here + 10,
      Home: 0,
      End: last,
    };
    const length = this.#to - this.#from;
    if (event.key === '+') this.#show(this.#from + length / 4, this.#to - length / 4);
    else if (event.key === '-') this.#show(this.#from - length / 2, this.#to + length / 2);
    const place = places[event.key];
    if (place === undefined) return;
    event.preventDefault();
    const index = Math.min(Math.max(place, 0), last);
    this.#plot.setCursor({ left: this.#plot.valToPos(this.#series.at[index], 'x'), top: 10 });
    this.#read(index);
  }

  /** @param {number} from @param {number} to */
  #address(from, to) {
    const { meter, quantity, tz } = this.#config;
    const query = { meter, quantity, resolution: this.#resolution, tz };
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    return `/api/v1/data/query?${new URLSearchParams({ ...query, ...range })}`;
  }

  async #load() {
    const turn = ++this.#asked;
    this.#resolution = resolutionOf(this.#to - this.#from);
    this.#title();
    const address = this.#address(this.#from, this.#to);
    const csv = /** @type {HTMLAnchorElement | null} */ (this.querySelector('.zoom-csv'));
    if (csv) csv.href = `${address}&format=csv`;
    // What is chosen here can be repaired.
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (
      document.querySelectorAll('a[href*="/repair?"]')
    )) {
      const target = new URL(link.href);
      target.searchParams.set('from', String(Math.floor(this.#from / 1000) * 1000));
      target.searchParams.set('to', String(Math.ceil(this.#to / 1000) * 1000));
      link.href = target.href;
    }
    const slow = setTimeout(() => this.#say(this.#config.texts.loading), 400);
    try {
      const answer = await fetch(address, { headers: { accept: 'application/json' } });
      if (!answer.ok) throw new Error(String(answer.status));
      const { points } = await answer.json();
      if (turn !== this.#asked) return;
      this.#series = withGaps(points, this.#resolution);
      this.#fetched = Date.now();
      this.#say(this.#series.at.length ? this.#config.texts.hint : this.#config.texts.none);
      this.#draw();
      this.#listMarks();
      this.#fillTable();
    } catch {
      if (turn === this.#asked) this.#say(this.#config.texts.failed);
    } finally {
      clearTimeout(slow);
    }
  }

  /** Moves on with the present: every 5 s where single readings are shown, else every minute. */
  #follow() {
    const pause = this.#resolution === 'raw' ? 5_000 : 60_000;
    if (!this.#following || document.hidden || Date.now() - this.#fetched < pause - 500) return;
    if (this.#plot?.cursor.left > 0 || this.matches(':focus-within')) return;
    const length = this.#to - this.#from;
    this.#to = Math.ceil(this.#now());
    this.#from = this.#to - length;
    this.#load();
  }

  #title() {
    const { locale, tz, texts } = this.#config;
    const length = this.#to - this.#from;
    /** @type {Intl.DateTimeFormatOptions} */
    const parts =
      length <= 2 * DAY
        ? { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }
        : { day: 'numeric', month: 'short', year: 'numeric' };
    const format = new Intl.DateTimeFormat(locale, { ...parts, hourCycle: 'h23', timeZone: tz });
    const title = this.querySelector('.zoom-title');
    if (title) title.textContent = `${format.formatRange(this.#from, this.#to)} · ${texts[this.#resolution]}`;
  }

  /** What one value means: the register itself, or its increase per slot, hour or day. */
  #per() {
    const { kind, texts } = this.#config;
    if (kind === 'gauge') return '';
    return this.#resolution === 'raw' ? texts.register : texts[`per_${this.#resolution}`];
  }

  #isEnergy() {
    return this.#config.kind !== 'gauge' && this.#resolution !== 'raw';
  }

  #draw() {
    const area = this.#area();
    this.#plot?.destroy();
    this.#plot = null;
    area.replaceChildren();
    if (this.#series.at.length === 0) return;
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement('span');
    area.append(probe);
    /** A token as a colour that canvas understands. @param {string} name */
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const tones = {
      line: colour(this.#config.tone === 'grey' ? 'ink-soft' : this.#config.tone),
      ink: colour('ink-soft'),
      edge: colour('edge'),
      warning: colour('warning'),
      fault: colour('fault'),
    };
    probe.remove();
    const size = Number.parseFloat(style.fontSize) * 0.75;
    this.#plot = new uPlot(
      this.#options(tones, `${size}px ${style.getPropertyValue('--font')}`, size),
      this.#data(),
      area,
    );
  }

  #data() {
    const { at, values, marks } = this.#series;
    const drawn = values.map((value, i) => (marks[i]?.leftOut ? null : value));
    return [at, drawn];
  }

  /** @param {Record<string, string>} tones @param {string} font @param {number} size */
  #options(tones, font, size) {
    const { kind, locale, tz, unit, digits } = this.#config;
    const isEnergy = this.#isEnergy();
    const scale = formatOf(locale, unit, this.#data()[1], digits);
    this.#format = scale;
    const axis = { stroke: tones.ink, font, grid: { stroke: tones.edge, width: 1 }, ticks: { show: false } };
    const fromZero = isEnergy || unit === 'W';
    return {
      width: this.#area().clientWidth,
      height: 320,
      tzDate: (/** @type {number} */ at) => uPlot.tzDate(new Date(at * 1000), tz),
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, y: false },
      scales: {
        x: {
          time: true,
          min: this.#from / 1000,
          max: this.#to / 1000,
          auto: false,
          range: () => [this.#from / 1000, this.#to / 1000],
        },
        y: {
          range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) =>
            rangeOf(low, high, fromZero),
        },
      },
      axes: [
        { ...axis, space: size * 6, values: timeLabels(locale, tz), size: size * 2.2 },
        {
          ...axis,
          // As wide as the longest label, so that 0.020 kWh is not cut.
          size: (/** @type {any} */ _, /** @type {string[] | null} */ labels) =>
            size * Math.max(5, 1.5 + 0.65 * Math.max(0, ...(labels ?? []).map((label) => label.length))),
          values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => scale.ticks(ticks),
        },
      ],
      series: [
        {},
        {
          stroke: tones.line,
          width: 2,
          spanGaps: false,
          points: { show: false },
          fill: isEnergy ? `color-mix(in srgb, ${tones.line} 15%, transparent)` : undefined,
          paths:
            isEnergy || (kind === 'gauge' && this.#resolution !== 'raw')
              ? uPlot.paths.stepped({ align: 1 })
              : uPlot.paths.linear(),
        },
      ],
      hooks: {
        setSelect: [(/** @type {any} */ plot) => this.#select(plot)],
        setCursor: [(/** @type {any} */ plot) => this.#read(plot.cursor.idx)],
        draw: [(/** @type {any} */ plot) => this.#drawMarks(plot, tones)],
      },
    };
  }

  #format = formatOf('en', '', [], 0);

  /** @param {any} plot */
  #select(plot) {
    if (plot.select.width < 8) return;
    const from = plot.posToVal(plot.select.left, 'x') * 1000;
    const to = plot.posToVal(plot.select.left + plot.select.width, 'x') * 1000;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#show(from, to);
  }

  /** Left-out values stand as triangles at the top, other marks as ticks at the bottom. @param {any} plot @param {Record<string, string>} tones */
  #drawMarks(plot, tones) {
    const { ctx, bbox } = plot;
    const r = devicePixelRatio;
    ctx.save();
    this.#series.marks.forEach((mark, i) => {
      if (!mark) return;
      const x = plot.valToPos(this.#series.at[i], 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.fillStyle = mark.leftOut ? tones.fault : tones.warning;
      ctx.beginPath();
      if (mark.leftOut) {
        ctx.moveTo(x - 6 * r, bbox.top);
        ctx.lineTo(x + 6 * r, bbox.top);
        ctx.lineTo(x, bbox.top + 10 * r);
      } else ctx.rect(x - r, bbox.top + bbox.height - 7 * r, Math.max(2 * r, this.#slotWidth(plot)), 7 * r);
      ctx.fill();
    });
    ctx.restore();
  }

  /** @param {any} plot */
  #slotWidth(plot) {
    const { at } = this.#series;
    if (this.#resolution === 'raw' || at.length < 2) return 0;
    return plot.valToPos(at[1], 'x', true) - plot.valToPos(at[0], 'x', true);
  }

  /** @param {number | null | undefined} index */
  #read(index) {
    if (index === null || index === undefined || this.#series.at[index] === undefined) {
      this.#say(this.#config.texts.hint);
      return;
    }
    this.#say(`${this.#when(index)}  ${this.#value(index)}${this.#reason(index)}`);
  }

  /** @param {number} index */
  #when(index) {
    const { locale, tz } = this.#config;
    /** @type {Intl.DateTimeFormatOptions} */
    const day = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' };
    /** @type {Intl.DateTimeFormatOptions} */
    const time = { hour: '2-digit', minute: '2-digit', ...(this.#resolution === 'raw' ? { second: '2-digit' } : {}) };
    const parts = this.#resolution === 'day' ? day : { ...day, ...time, year: undefined };
    return new Intl.DateTimeFormat(locale, { ...parts, hourCycle: 'h23', timeZone: tz }).format(
      this.#series.at[index] * 1000,
    );
  }

  /** @param {number} index */
  #value(index) {
    const value = this.#series.values[index];
    const per = this.#per();
    return value === null ? '–' : `${this.#format.text(value)}${per ? ` ${per}` : ''}`;
  }

  /** @param {number} index */
  #reason(index) {
    const mark = this.#series.marks[index];
    return mark ? ` (${mark.names.map((name) => this.#config.marks[name] ?? name).join(', ')})` : '';
  }

  /** @param {string} text */
  #say(text) {
    const out = this.querySelector('.readout');
    if (out && out.textContent !== text) out.textContent = text;
  }

  #listMarks() {
    const box = /** @type {HTMLElement} */ (this.querySelector('.zoom-marks'));
    const found = this.#markedRuns();
    box.hidden = found.length === 0;
    const lines = found
      .slice(-MARKS)
      .reverse()
      .map(({ from, to }) => {
        const line = document.createElement('li');
        const values = from === to ? this.#value(from) : `${to - from + 1} ×`;
        const when = from === to ? this.#when(from) : `${this.#when(from)} – ${this.#when(to)}`;
        line.append(span(when), span(values), span(this.#reason(from).slice(2, -1)));
        return line;
      });
    if (found.length > MARKS) {
      const more = document.createElement('li');
      more.append(span(this.#config.texts.more.replace('{n}', String(found.length - MARKS))));
      lines.push(more);
    }
    box.querySelector('ul')?.replaceChildren(...lines);
  }

  /** Neighbours with the same marks, as one; computed from power is no news. */
  #markedRuns() {
    /** @type {{ from: number, to: number, names: string }[]} */
    const runs = [];
    this.#series.marks.forEach((mark, i) => {
      const names = mark?.names.join() ?? '';
      if (names === '' || names === 'from_power') return;
      const last = runs.at(-1);
      if (last && last.to === i - 1 && last.names === names) last.to = i;
      else runs.push({ from: i, to: i, names });
    });
    return runs;
  }

  #fillTable() {
    if (!this.querySelector('details')?.open) return;
    const rows = [];
    for (let i = this.#series.at.length - 1; i >= 0 && rows.length < ROWS; i--) {
      const row = document.createElement('tr');
      const time = document.createElement('th');
      time.scope = 'row';
      time.textContent = this.#when(i);
      row.append(time);
      row.insertCell().textContent = this.#value(i);
      row.cells[1].className = 'numbers';
      row.insertCell().textContent = this.#reason(i).slice(2, -1);
      rows.push(row);
    }
    this.querySelector('tbody')?.replaceChildren(...rows);
  }

  #resize() {
    const width = this.#area().clientWidth;
    if (this.#plot && Math.abs(this.#plot.width - width) > 1) this.#plot.setSize({ width, height: 320 });
  }
}

const pageOpened = Date.now();

/** @param {string} text */
function span(text) {
  const element = document.createElement('span');
  element.textContent = text;
  return element;
}

/** Room above, and zero inside where sums and power are shown. @param {number | null} low @param {number | null} high @param {boolean} fromZero @returns {[number, number]} */
function rangeOf(low, high, fromZero) {
  if (low === null || high === null || !Number.isFinite(low)) return [0, 1];
  const bottom = fromZero ? Math.min(0, low) : low;
  const top = fromZero ? Math.max(0, high) : high;
  const room = (top - bottom) * 0.06 || Math.abs(top) * 0.01 || 1;
  return [bottom < 0 || !fromZero ? bottom - room : bottom, top + room];
}

/** Time labels in the site's zone; the day is said where it begins. @param {string} locale @param {string} timeZone */
function timeLabels(locale, timeZone) {
  const of = (/** @type {Intl.DateTimeFormatOptions} */ options) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone, hourCycle: 'h23' });
  const time = of({ hour: '2-digit', minute: '2-digit' });
  const seconds = of({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const day = of({ day: 'numeric', month: 'short' });
  const month = of({ month: 'short', year: '2-digit' });
  return (/** @type {any} */ _, /** @type {number[]} */ ticks) => {
    const step = ticks.length > 1 ? ticks[1] - ticks[0] : 3600;
    return ticks.map((tick) => {
      const text = time.format(tick * 1000);
      if (step >= 27 * 86_400) return month.format(tick * 1000);
      if (step >= 86_000 || text === '00:00') return day.format(tick * 1000);
      return step < 60 ? seconds.format(tick * 1000) : text;
    });
  };
}

customElements.define('luna-zoom', LunaZoom);
