/** The API, readable without internet: every route with its role, parameters, body and answers, from the OpenAPI document. */
import { html } from 'hono/html';
import { layout } from '../components/layout.ts';
import { card } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

/** What the page needs of an OpenAPI 3.1 document. */
export type ApiDocument = {
  info: { version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths?: Record<string, Record<string, ApiOperation>>;
  components?: { schemas?: Record<string, unknown> };
};
export type ApiOperation = {
  tags?: string[];
  summary?: string;
  description?: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: unknown }[];
  requestBody?: { content?: Record<string, { schema?: unknown }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>;
};

type Entry = { method: string; path: string; operation: ApiOperation };

export function apiReferencePage(document: ApiDocument, ui: Ui): Html {
  const entries = entriesOf(document);
  const tags = document.tags ?? [];
  const content = html`<section class="card full"><p>${document.info.description ?? ''}</p>
<p class="soft">${ui.t('api.lead')} <a href="/api/v1/openapi.json">openapi.json</a></p><nav class="actions" aria-label="${ui.t('api.title')}">${tags.map((tag) => html`<a href="#${anchor(tag.name)}">${tag.name}</a>`)}<a href="#schemas">Schemas</a></nav></section>
${tags.map((tag) =>
  tagCard(
    tag,
    entries.filter(({ operation }) => (operation.tags?.[0] ?? 'Operations') === tag.name),
  ),
)}
${card({
  title: 'Schemas',
  id: 'schemas',
  content: html`<div class="stack">${Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) =>
      html`<details id="schema-${name}"><summary><code>${name}</code></summary>${json(schema)}</details>`,
  )}</div>`,
})}`;
  return layout(ui, { title: `${ui.t('api.title')} ${document.info.version}`, page: null, content });
}

/** The id of a group's card. */
function anchor(tag: string): string {
  return `tag-${tag.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
}

function entriesOf(document: ApiDocument): Entry[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

function tagCard(tag: { name: string; description?: string }, entries: readonly Entry[]): Html | string {
  if (entries.length === 0) return '';
  return card({
    title: tag.name,
    id: anchor(tag.name),
    content: html`<p class="soft">${tag.description ?? ''}</p><div class="stack">${entries.map(entryDetails)}</div>`,
  });
}

function entryDetails({ method, path, operation }: Entry): Html {
  return html`<details><summary><code><b>${method}</b> ${path}</code> <span class="soft">${operation.summary ?? ''}</span></summary>
<div class="stack">
${operation.description ? html`<p>${operation.description}</p>` : ''}
${(operation.parameters ?? []).length > 0 ? parameterTable(operation.parameters ?? []) : ''}
${Object.entries(operation.requestBody?.content ?? {}).map(([type, body]) => html`<div><h3>${type}</h3>${json(body.schema)}</div>`)}
${Object.entries(operation.responses ?? {}).map(
  ([status, answer]) =>
    html`<div><h3>${status}</h3><p class="soft">${answer.description ?? ''}</p>${Object.entries(answer.content ?? {}).map(([type, body]) => (type === 'application/problem+json' ? '' : html`<p><code>${type}</code></p>${json(body.schema)}`))}</div>`,
)}
</div></details>`;
}

function parameterTable(parameters: NonNullable<ApiOperation['parameters']>): Html {
  return html`<div class="scroll" tabindex="0"><table><tbody>${parameters.map(
    (p) =>
      html`<tr><th scope="row"><code>${p.name}</code></th><td>${p.in}${p.required ? ' *' : ''}</td><td>${p.description ?? ''} <code>${JSON.stringify(p.schema ?? {})}</code></td></tr>`,
  )}</tbody></table></div>`;
}

function json(value: unknown): Html {
  return html`<pre tabindex="0">${JSON.stringify(value ?? {}, null, 2)}</pre>`;
}
