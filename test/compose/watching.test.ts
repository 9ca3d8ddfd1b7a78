/** Rules, dashboards and flows against what the box really tells, offers and sends. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createWebhookNotifier, newWebhookSecret } from '../../connectors/notify/webhook.ts';
import { ConfigSchema } from '../../gateway/config.ts';
import { createApiApp } from '../../gateway/http/api.ts';
import { openApiDocument } from '../../gateway/http/openapi.ts';
import { mountApi } from '../../gateway/http/routes.ts';
import { createMetrics } from '../../gateway/metrics.ts';
import type { Services } from '../../gateway/services.ts';
import { FOLDER as DASHBOARD_FOLDER, DASHBOARDS, dashboardFiles, metricsIn } from '../../scripts/dashboards.ts';
import { FOLDER as FLOW_FOLDER, FLOWS, flowFiles } from '../../scripts/n8n-flows.ts';
import { onPath, ROOT } from '../setup/environment.ts';

type Rule = { record?: string; alert?: string; expr: string; labels?: object; annotations?: Record<string, string> };
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const rules = (parse(read('compose/prometheus/rules.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

const catalogue = await knownMetrics();
async function knownMetrics(): Promise<Set<string>> {
  const names = new Set(['up', ...rules.flatMap(({ record }) => record ?? [])]);
  for (const { name, type } of await createMetrics().registry.getMetricsAsJSON())
    for (const suffix of String(type) === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']) names.add(name + suffix);
  return names;
}
/** Labels that a query asks for by name, against those of the metric. */
const unknownIn = (expr: string) => metricsIn(expr).filter((name) => !catalogue.has(name));

describe('dashboards', () => {
  it('are what their description gives', () => {
    for (const [name, text] of Object.entries(dashboardFiles()))
      expect(readFileSync(join(DASHBOARD_FOLDER, name), 'utf8'), name).toBe(text);
    expect(readdirSync(DASHBOARD_FOLDER).sort()).toEqual(Object.keys(dashboardFiles()).sort());
  });
  it.each(DASHBOARDS)('$title asks only for metrics that there are', ({ panels }) => {
    for (const { title, queries } of panels)
      for (const expr of Object.values(queries)) {
        expect(metricsIn(expr).length, title).toBeGreaterThan(0);
        expect(unknownIn(expr), title).toEqual([]);
      }
  });
  it('would say so of one that there is not', () => {
    expect(unknownIn('sum by (source) (rate(luna_nonsense_total{source="x"}[5m]))')).toEqual(['luna_nonsense_total']);
  });
});

describe('rules of Prometheus', () => {
  it.each(rules)('$record$alert asks only for metrics that there are, and says what to do', (rule) => {
    expect(unknownIn(rule.expr)).toEqual([]);
    if (rule.alert) expect(rule.annotations).toMatchObject({ summary: expect.any(String), action: expect.any(String) });
  });
  it('name runbooks that there are', () => {
    const runbooks = read('docs/OPERATIONS.md');
    for (const { annotations } of rules)
      for (const [, title = ''] of (annotations?.action ?? '').matchAll(/OPERATIONS\.md, "([^"]+)"/g))
        expect(runbooks).toContain(`## ${title}`);
  });
  it('have a test of promtool each for the bad case', () => {
    const tests = read('compose/prometheus/rules.test.yml');
    for (const name of [
      'LunaDown',
      'LunaReadingsMissing',
      'LunaAckSlow',
      'LunaDrainLags',
      'LunaBackupOld',
      'LunaDiskLow',
    ])
      expect(tests).toMatch(new RegExp(`alertname: ${name}\\n\\s+exp_alerts`));
  });
  const promtool = process.env.LUNA_TEST_PROMTOOL ?? onPath(['promtool'], process.env.PATH);
  it.skipIf(!promtool)('pass their own tests (promtool)', () => {
    const { status, stdout, stderr } = spawnSync(
      promtool!,
      ['test', 'rules', join(ROOT, 'compose/prometheus/rules.test.yml')],
      { encoding: 'utf8' },
    );
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});

describe('flows of n8n', () => {
  const app = createApiApp();
  mountApi(app, { config: ConfigSchema.parse({ home: '/nowhere' }) } as Services);
  const { paths = {} } = openApiDocument(app, '0.0.0');

  it('are what their description gives', () => {
    for (const [name, text] of Object.entries(flowFiles()))
      expect(readFileSync(join(FLOW_FOLDER, name), 'utf8'), name).toBe(text);
  });
  it.each(FLOWS)('$name asks only what the box answers', ({ nodes }) => {
    for (const { parameters } of nodes) {
      const { method, url } = parameters as { method?: string; url?: string };
      const path = url?.startsWith('http://luna:8080') ? url.slice('http://luna:8080'.length) : null;
      if (path) expect(Object.keys(paths[path] ?? {}), path).toContain(method?.toLowerCase());
    }
  });
  it('read only fields that the webhook of an alert has', async () => {
    let sent = '';
    const notifier = createWebhookNotifier({
      ...{ settings: { url: 'https://n8n.example/webhook' }, secret: newWebhookSecret(), clock: { now: () => 0 } },
      fetch: async (_, { body }) => {
        sent = body;
        return { status: 200, headers: { get: () => null }, body: null };
      },
    });
    const message = {
      id: 'm',
      made_ms: 0,
      subject: 's',
      text: 't',
      test: false,
      site: 'x',
      language: 'en',
      alerts: [],
      more: 0,
    };
    await notifier.send(message as never, AbortSignal.timeout(1000));
    const fields = Object.keys(JSON.parse(sent) as object);
    const [flow] = FLOWS;
    const asked = [...JSON.stringify(flow).matchAll(/\$json\.body\.(\w+)/g)].map(([, name]) => name);
    expect(asked.length).toBeGreaterThan(0);
    for (const name of asked) expect(fields).toContain(name);
  });
});
