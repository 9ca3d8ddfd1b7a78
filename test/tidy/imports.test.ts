import { describe, expect, it } from 'vitest';
import { importFaults } from './imports.ts';
import { importsOf, readSource } from './source.ts';

describe('import rule', () => {
  for (const file of readSource()) it(file.path, () => expect(importFaults(file)).toEqual([]));
});

describe('the import rule itself', () => {
  const refused: [path: string, text: string][] = [
    ['engine/tariff/cost.ts', "import { a } from '../../connectors/series/duckdb.ts';"],
    ['engine/tariff/cost.ts', "import type { a } from '../../recommender/bandit.ts';"],
    ['engine/tariff/cost.ts', "import {\n  readFile,\n} from 'node:fs/promises';"],
    ['engine/tariff/cost.ts', 'const now = Date.now();'],
    ['engine/tariff/cost.ts', 'const now = new Date();'],
    ['engine/tariff/cost.ts', 'const key = process.env.KEY;'],
    ['engine/tariff/cost.ts', "import highs from 'highs';"],
    ['engine/dispatch/plan.ts', "import * as tf from '@tensorflow/tfjs-core';"],
    ['recommender/bandit.ts', 'const u = Math.random();'],
    ['recommender/bandit.ts', "import { a } from '../web/page.ts';"],
    ['connectors/meters/mqtt.ts', "import { a } from '../series/duckdb.ts';"],
    ['connectors/meters/mqtt.ts', "const { a } = await import('../../gateway/config.ts');"],
    ['connectors/meters/mqtt.ts', "import pg from 'pg';"],
    ['web/pages/now.ts', "import { a } from '../../engine/model/time.ts';"],
    ['web/pages/now.ts', "import type { a } from '../../connectors/series/duckdb.ts';"],
    ['web/pages/now.ts', "import { z } from 'zod';"],
    ['gateway/http/api.ts', "export * from '../../test/setup/environment.ts';"],
    ['gateway/http/api.ts', "import { DuckDBInstance } from '@duckdb/node-api';"],
  ];
  it.each(refused)('refuses in %s: %s', (path, text) => expect(importFaults({ path, text })).toHaveLength(1));

  const allowed: [path: string, text: string][] = [
    [
      'engine/tariff/cost.ts',
      "import { a } from '../model/time.ts';\n// Date.now() is refused\nconst t = new Date(at_ms);",
    ],
    ['engine/dispatch/plan.ts', "import highs from 'highs';"],
    ['engine/model/hash.ts', "import { createHash } from 'node:crypto';"],
    ['recommender/bandit.ts', "import { a } from '../engine/model/time.ts';"],
    ['connectors/meters/mqtt.ts', "import mqtt from 'mqtt';\nimport { a } from './decode.ts';"],
    ['connectors/catalogue.ts', "import { a } from './meters/mqtt.ts';"],
    ['web/pages/now.ts', "import { html } from 'hono/html';\nimport type { a } from '../../engine/model/time.ts';"],
    ['gateway/assemble.ts', "import { a } from '../connectors/series/duckdb.ts';"],
    ['scripts/docs.ts', "import { a } from '../gateway/config.ts';"],
  ];
  it.each(allowed)('allows in %s: %s', (path, text) => expect(importFaults({ path, text })).toEqual([]));

  it('sees every form of import once', () => {
    const text = [
      "import a from 'a';",
      "import { b, type B } from 'b/deep';",
      "import type { C } from '@scope/c/deep';",
      "import 'd';",
      "export { e } from './e.ts';",
      "const f = await import('f');",
      "// import g from 'g';",
      "const text = 'taken from';",
    ].join('\n');
    const found = importsOf({ path: 'web/x.ts', text });
    expect(found.map(({ target }) => target)).toEqual(['a', 'b', '@scope/c', 'd', 'web/e.ts', 'f']);
    expect(found.map(({ types_only }) => types_only)).toEqual([false, false, true, false, false, false]);
  });
});
