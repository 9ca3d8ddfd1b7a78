/** Icons of the Lucide set (ISC), inlined so that they take the colour of the text around them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { html } from 'hono/html';
import { type Html, trusted } from '../i18n/text.ts';

const LIBRARY = createRequire(import.meta.url).resolve('lucide-static/package.json');
const bodies = new Map<string, string>();

function bodyOf(name: string): string {
  let body = bodies.get(name);
  if (body === undefined) {
    const file = readFileSync(LIBRARY.replace(/package\.json$/, `icons/${name}.svg`), 'utf8');
    body = file
      .replace(/^[\s\S]*?<svg[^>]*>/, '')
      .replace('</svg>', '')
      .replace(/\s*\n\s*/g, '')
      .replaceAll(' />', '/>');
    bodies.set(name, body);
  }
  return body;
}

/** An icon beside a text. `name` is Lucide's; with `label` it speaks for itself, otherwise it is silent. */
export function icon(name: string, label?: string): Html {
  const voice = label === undefined ? html`aria-hidden="true"` : html`role="img" aria-label="${label}"`;
  return html`<svg class="icon" viewBox="0 0 24 24" ${voice}>${trusted(bodyOf(name))}</svg>`;
}

/** The same as a part of a larger SVG, `size` units wide with its corner at x, y. */
export function iconAt(name: string, x: number, y: number, size: number): Html {
  return html`<svg class="icon" x="${x}" y="${y}" width="${size}" height="${size}" viewBox="0 0 24 24" aria-hidden="true">${trusted(bodyOf(name))}</svg>`;
}

/** The icon of each role of a meter point. */
export const ROLE_ICONS = {
  grid: 'utility-pole',
  generation: 'sun',
  battery: 'battery-charging',
  load: 'building-2',
  'sub-meter': 'split',
} as const;
