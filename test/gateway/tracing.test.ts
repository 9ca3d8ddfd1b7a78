/** A real collector's part: what arrives over OTLP/HTTP of the way of a reading. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { openTracing, traced, traceId } from '../../gateway/tracing.ts';

const log = { info: () => {} };
type Sent = {
  resourceSpans: {
    scopeSpans: {
      spans: { name: string; traceId: string; spanId: string; parentSpanId?: string; status: { code?: number } }[];
    }[];
  }[];
};

it('sends spans as one tree, failures by their kind alone, and nothing once it is closed', async () => {
  const sent: string[] = [];
  const server = createServer(async (request, answer) => {
    sent.push(`${request.url} ${await text(request)}`);
    answer.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const tracing = await openTracing({ url, share: 1, version: '0.0.0' }, log as never);
    const way = traced('reading.intake', { source: 'mqtt' }, async () => {
      expect(traceId()).toMatch(/^[0-9a-f]{32}$/);
      await Promise.resolve();
      return traced('journal.append', {}, async () => {
        throw new RangeError('the secret of Mrs. Brown');
      });
    });
    await expect(way).rejects.toThrow(RangeError);
    await tracing.close();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatch(/^\/v1\/traces /);
    expect(sent[0]).not.toContain('Mrs. Brown');
    const { resourceSpans } = JSON.parse(sent[0]!.slice('/v1/traces '.length)) as Sent;
    const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    const [inner, outer] = ['journal.append', 'reading.intake'].map((name) => spans.find((span) => span.name === name));
    expect(inner).toMatchObject({ traceId: outer?.traceId, parentSpanId: outer?.spanId, status: { code: 2 } });
    await traced('afterwards', {}, async () => {});
    expect(sent).toHaveLength(1);
  } finally {
    await new Promise((done) => server.close(done));
  }
});

it('costs nothing to speak of, loads nothing and gives no id without a collector', async () => {
  const tracing = await openTracing({ url: null, share: 1, version: '0.0.0' }, log as never);
  expect(await traced('reading.intake', {}, async () => 7)).toBe(7);
  expect(traceId() ?? '0'.repeat(32)).toBe('0'.repeat(32));
  await tracing.close();
});
