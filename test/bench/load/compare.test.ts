/** What the benches count as lost and doubled, against a store that says what it is told to. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { comparePushed } from './compare.ts';

const BASE_MS = Date.UTC(2026, 0, 1);
let server: Server;
let stored: { n: number; value: number }[];
beforeEach(async () => {
  stored = Array.from({ length: 10 }, (_, n) => ({ n, value: n + 0.5 }));
  server = createServer(({ url = '' }, answer) => {
    const asked = new URL(url, 'http://box').searchParams;
    const within = ({ n }: { n: number }) =>
      BASE_MS + n >= Number(asked.get('from')) && BASE_MS + n < Number(asked.get('to'));
    const points = stored.filter(within).map(({ n, value }) => ({ at: new Date(BASE_MS + n), value, quality: 'ok' }));
    answer.end(JSON.stringify({ points }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(() => server.close());

function compare() {
  const { port } = server.address() as AddressInfo;
  const acknowledged = [{ meter: 'hall', sent: 10, contiguous: 6, others: [8] }];
  return comparePushed(`http://127.0.0.1:${port}`, 'key', BASE_MS, acknowledged);
}

it('finds nothing where everything is there once, acknowledged or not', async () =>
  expect(await compare()).toEqual({ lost: 0, duplicated: 0 }));

it('counts what is missing of what was acknowledged, and nothing else', async () => {
  stored = stored.filter(({ n }) => ![2, 7, 8].includes(n));
  expect(await compare()).toEqual({ lost: 2, duplicated: 0 });
});

it('counts rows that are there twice', async () => {
  stored.push(stored[3]!, stored[3]!, stored[9]!);
  expect(await compare()).toEqual({ lost: 0, duplicated: 3 });
});

it.each([
  { what: 'another value', n: 4, value: 99.5 },
  { what: 'a time behind the last', n: 10, value: 10.5 },
  { what: 'a time before the first', n: -1, value: 0.5 },
])('refuses a reading that was never sent: $what', async ({ n, value }) => {
  stored = [...stored.filter((one) => one.n !== n), { n, value }];
  await expect(compare()).rejects.toThrow(/never sent/);
});
