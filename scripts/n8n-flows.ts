/**
 * Flows for n8n as importable JSON, written to compose/n8n by `make dashboards`. The box never depends on them. Tests hold
 * every address against the API and every field of a webhook against what the box sends.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const FOLDER = join(import.meta.dirname, '../compose/n8n');
const BOX = 'http://luna:8080';

export type FlowNode = {
  name: string;
  type: string;
  typeVersion: number;
  parameters: Record<string, unknown>;
  credentials?: object;
};
export type Flow = { file: string; name: string; about: string; nodes: readonly FlowNode[] };

/** In n8n: Credentials → Header Auth, name `Authorization`, value `Bearer lk_…` of an analyst's API key. */
const KEY = { httpHeaderAuth: { id: 'luna-key', name: 'Luna API key' } };

const asked = (name: string, method: 'GET' | 'POST', path: string, more: object = {}): FlowNode => ({
  ...{ name, type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2, credentials: KEY },
  parameters: {
    method,
    url: `${BOX}${path}`,
    authentication: 'genericCredentialType',
    genericAuthType: 'httpHeaderAuth',
    ...more,
  },
});
const daily = (hour: number): FlowNode => ({
  ...{ name: 'Each day', type: 'n8n-nodes-base.scheduleTrigger', typeVersion: 1.2 },
  parameters: { rule: { interval: [{ field: 'days', triggerAtHour: hour }] } },
});
const code = (name: string, jsCode: string): FlowNode => ({
  ...{ name, type: 'n8n-nodes-base.code', typeVersion: 2, parameters: { jsCode } },
});
const hook = (path: string): FlowNode => ({
  ...{ name: 'Webhook', type: 'n8n-nodes-base.webhook', typeVersion: 2 },
  parameters: { httpMethod: 'POST', path, responseMode: 'onReceived' },
});
/** Slack and Teams take the same `text`; the address is a variable of n8n, for it is a secret. */
const told = (text: string): FlowNode => ({
  ...{ name: 'Tell the channel', type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2 },
  parameters: {
    ...{ method: 'POST', url: '={{ $vars.chat_webhook_url }}', sendBody: true, specifyBody: 'json' },
    jsonBody: `={{ JSON.stringify({ text: ${text} }) }}`,
  },
});

export const FLOWS: readonly Flow[] = [
  {
    file: 'alert-to-chat.json',
    name: 'Luna: alert to Slack or Teams',
    about: 'Admin, Notifications: a webhook channel to http://n8n:5678/webhook/luna-alerts (host n8n:5678 allowed).',
    nodes: [hook('luna-alerts'), told("$json.body.subject + '\\n' + $json.body.text")],
  },
  {
    file: 'nightly-evaluation.json',
    name: 'Luna: nightly evaluation summary',
    about: 'The error of each forecast against "same as last week", each morning.',
    nodes: [
      daily(6),
      asked('Forecast errors', 'GET', '/api/v1/forecast/error', {
        sendQuery: true,
        queryParameters: { parameters: [{ name: 'series', value: 'load' }] },
      }),
      told("'Forecast error of the load: ' + JSON.stringify($json)"),
    ],
  },
  {
    file: 'promotion-announced.json',
    name: 'Luna: a model was promoted',
    about: 'Says when the model of a live forecast is another than yesterday.',
    nodes: [
      daily(5),
      asked('Live forecast', 'GET', '/api/v1/forecast', {
        sendQuery: true,
        queryParameters: { parameters: [{ name: 'series', value: 'load' }] },
      }),
      code(
        'Changed?',
        "const memory = $getWorkflowStaticData('global');\nconst model = $json.model;\nconst before = memory.model;\nmemory.model = model;\nreturn before && before !== model ? [{ json: { before, model } }] : [];",
      ),
      told("'The load is forecast by ' + $json.model + ' now, before by ' + $json.before"),
    ],
  },
  {
    file: 'document-changed.json',
    name: 'Luna: a document changed, index it again',
    about:
      'POST {"url": "https://…/rules.pdf", "name": "rules.pdf"} to /webhook/luna-document: fetched, uploaded, read and indexed.',
    nodes: [
      hook('luna-document'),
      {
        ...{ name: 'Fetch it', type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2 },
        parameters: {
          method: 'GET',
          url: '={{ $json.body.url }}',
          options: { response: { response: { responseFormat: 'file' } } },
        },
      },
      asked('Upload it', 'POST', '/api/v1/documents', {
        ...{ sendBody: true, contentType: 'multipart-form-data' },
        bodyParameters: { parameters: [{ parameterType: 'formBinaryData', name: 'file', inputDataFieldName: 'data' }] },
      }),
    ],
  },
];

/** @returns the flow as n8n imports it: nodes in a row, each leading to the next. */
export function n8nOf({ name, nodes }: Flow): object {
  const links = nodes
    .slice(0, -1)
    .map((node, index) => [node.name, { main: [[{ node: nodes[index + 1]?.name, type: 'main', index: 0 }]] }]);
  return {
    ...{ name, active: false, settings: { executionOrder: 'v1' }, connections: Object.fromEntries(links) },
    nodes: nodes.map((node, index) => ({ id: `luna-${index}`, position: [240 * index, 0], ...node })),
  };
}

/** File name → text. */
export function flowFiles(): Record<string, string> {
  return Object.fromEntries(FLOWS.map((flow) => [flow.file, `${JSON.stringify(n8nOf(flow), null, 2)}\n`]));
}

if (import.meta.main) {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(flowFiles())) writeFileSync(join(FOLDER, name), text);
}
