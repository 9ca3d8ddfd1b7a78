/** Whether each panel of the dashboards shows something on a real Prometheus that has scraped a box at work. */
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import { DASHBOARDS } from '../../../scripts/dashboards.ts';
import type { Stack } from './stack.ts';

const DAY_MS = 86_400_000;
const SLOT_MS = 900_000;
const HISTORY_DAYS = 28;
const MOST_READINGS = 1000;
const SHOWN_WITHIN_MS = 300_000;

/** @returns how many queries of panels there are, and those that stay empty */
export async function watch(stack: Stack, key: string): Promise<{ panels: number; empty: string[] }> {
  await stir(stack, key);
  await stack.appliance(['up'], { PROFILES: 'observability', SERVICES: 'luna prometheus' });
  const panels = DASHBOARDS.flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      Object.values(panel.queries).map((query) => ({ name: `${title}: ${panel.title}`, query })),
    ),
  );
  const until_ms = performance.now() + SHOWN_WITHIN_MS;
  for (let empty = panels; ; ) {
    const left: typeof panels = [];
    for (const panel of empty) if (!(await shows(stack, panel.query))) left.push(panel);
    if (left.length === 0 || performance.now() > until_ms)
      return { panels: panels.length, empty: left.map(({ name, query }) => `${name} (${query})`) };
    empty = left;
    // What counts a rate needs two scrapes.
    await sleep(10_000);
  }
}

async function shows(stack: Stack, query: string): Promise<boolean> {
  const url = `http://127.0.0.1:9090/api/v1/query?${new URLSearchParams({ query })}`;
  const text = await stack.compose('exec', '-T', 'prometheus', 'wget', '-q', '-O', '-', url).catch(() => '{}');
  const { data } = JSON.parse(text) as { data?: { result: { value: [number, string] }[] } };
  return (data?.result ?? []).some(({ value: [, text] }) => Number.isFinite(Number(text)));
}

/** Something of everything that a box counts: four weeks of a building, a question, refusals, a backup. */
async function stir(stack: Stack, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const post = (path: string, body: unknown) =>
    fetch(stack.url + path, { method: 'POST', headers, body: JSON.stringify(body) }).then((answer) => answer.text());
  await stack.lunaJson('device', 'create', 'grid');
  const readings = building();
  for (let at = 0; at < readings.length; at += MOST_READINGS)
    await post('/api/v1/readings', { readings: readings.slice(at, at + MOST_READINGS) });
  await post('/api/v1/readings', { readings: [{ meter: 'grid', at: new Date().toISOString(), power_W: 'much' }] });
  await post('/api/v1/ask', { question: 'Which loads count as controllable?' });
  await fetch(`${stack.url}/api/v1/recommend`, { headers });
  const nobody = '{kind: modbus-tcp, host: 10.255.255.1, port: 502, unit: 1, poll_s: 1}';
  await stack.lunaJson('device', 'create', 'nobody', '--profile', 'eastron-sdm630', '--connection', nobody);
  await refusedLogin(stack.mqtt_port);
  await stack.lunaJson('backup');
  for (let tries = 0; tries < 60; tries++) {
    await stack.lunaJson('train').catch(() => {});
    if ((await fetch(`${stack.url}/api/v1/forecast?series=load`, { headers })).ok) return;
    await sleep(2000);
  }
}

function building(): { meter: string; at: string; power_W: number }[] {
  const last = Math.floor(Date.now() / SLOT_MS) * SLOT_MS;
  const slots = (HISTORY_DAYS * DAY_MS) / SLOT_MS;
  return Array.from({ length: slots }, (_, n) => {
    const at_ms = last - (slots - n) * SLOT_MS;
    const hour = (at_ms / 3_600_000) % 24;
    return {
      meter: 'grid',
      at: new Date(at_ms).toISOString(),
      power_W: Math.round(2000 + 6000 * Math.exp(-(((hour - 12) / 4) ** 2))),
    };
  });
}

async function refusedLogin(port: number): Promise<void> {
  const client = mqtt.connect({ port, host: '127.0.0.1', username: 'nobody', password: 'guessed', reconnectPeriod: 0 });
  await new Promise<void>((done) => {
    client.once('error', () => done());
    client.once('close', () => done());
  });
  client.end(true);
}
