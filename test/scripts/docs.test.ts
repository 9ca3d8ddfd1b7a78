import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigSchema } from '../../gateway/config.ts';
import { createApiApp } from '../../gateway/http/api.ts';
import { openApiDocument } from '../../gateway/http/openapi.ts';
import { mountApi } from '../../gateway/http/routes.ts';
import type { Services } from '../../gateway/services.ts';
import { referencePages } from '../../scripts/docs.ts';

const FOLDER = join(import.meta.dirname, '../../docs/reference');

describe('the reference pages', async () => {
  for (const [name, text] of Object.entries(await referencePages()))
    it(`${name} is what \`make docs\` gives`, () => {
      expect(readFileSync(join(FOLDER, name), 'utf8')).toBe(text);
    });
});

describe('the API', () => {
  const app = createApiApp();
  mountApi(app, { config: ConfigSchema.parse({ home: '/nowhere' }) } as Services);
  const document = openApiDocument(app, '0.0.0');
  const tags = new Set((document.tags ?? []).map((tag) => tag.name));

  it('documents every route that it serves', () => {
    const documented = new Set(
      Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
        Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    );
    const served = app.routes
      .filter((route) => route.method !== 'ALL')
      .map((route) => `${route.method} ${route.path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`);
    expect([...new Set(served)].filter((route) => !documented.has(route))).toEqual([]);
  });

  for (const [path, methods] of Object.entries(document.paths ?? {}))
    for (const [method, operation] of Object.entries(methods ?? {}))
      it(`${method.toUpperCase()} ${path} has a summary, a known tag and answers`, () => {
        const {
          summary,
          tags: own,
          responses,
        } = operation as { summary?: string; tags?: string[]; responses?: object };
        expect(summary).toBeTruthy();
        expect(tags.has(own?.[0] ?? '')).toBe(true);
        expect(Object.keys(responses ?? {}).length).toBeGreaterThan(0);
      });
});
