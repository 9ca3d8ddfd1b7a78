import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createWebhookNotifier, newWebhookSecret, webhookSignature } from '../../../connectors/notify/webhook.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import { messageOf, notifierContract, type Received, type ReceiverMode } from '../../contracts/notifier.ts';
import { closeAll } from './socket.ts';

type Got = Received & { headers: Record<string, string | string[] | undefined>; body: string };
const SECRET = newWebhookSecret();

async function openHook() {
  const received: Got[] = [];
  let mode: ReceiverMode | 'elsewhere' | 'endless' = 'well';
  const sockets = new Set<Socket>();
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      if (mode === 'silent') return;
      if (mode === 'elsewhere') return response.writeHead(307, { location: '/again' }).end();
      if (mode !== 'well' && mode !== 'endless') return response.writeHead(mode === 'busy' ? 503 : 404).end('not here');
      const { subject, alerts } = JSON.parse(body) as { subject: string; alerts: object[] };
      received.push({
        id: String(request.headers['webhook-id']),
        text: `${subject} ${JSON.stringify(alerts)}`,
        headers: request.headers,
        body,
      });
      if (mode === 'well') return response.end('thanks');
      const more = setInterval(() => response.write('x'.repeat(10_000)), 1);
      response.on('close', () => clearInterval(more));
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const settings = { url: `http://127.0.0.1:${port}/hook?token=${encodeURIComponent(SECRET)}` };
  return {
    notifier: createWebhookNotifier({ settings, secret: SECRET, fetch, clock: { now: () => 1_790_000_000_500 } }),
    received,
    behave: (next: typeof mode) => {
      mode = next;
    },
    stop: () => closeAll(server, sockets),
    secret: encodeURIComponent(SECRET),
  };
}

describe('webhook', () => {
  notifierContract(openHook);
});

describe('webhook over HTTP', () => {
  it.each([200, 401, 503])('shows nothing of the address that a receiver says back with %i', async (status) => {
    const server = createServer((request, response) => {
      request.resume();
      const said = `${request.url} ${decodeURIComponent(request.url!)} B0-path-7 ${Buffer.from('tok/en-9x').toString('base64')}`;
      response.writeHead(status).end(`gone: ${said}`);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/services/T0-path-7/B0-path-7?key=tok%2Fen-9x`;
    const notifier = createWebhookNotifier({ settings: { url }, secret: SECRET, fetch, clock: Date });
    const said = await notifier.send(messageOf(), AbortSignal.timeout(10_000)).catch((error: Error) => error.message);
    server.close();
    expect(said).toContain('gone: …');
    expect(said).not.toMatch(/path-7|en-9x|dG9rL2Vu/);
  });

  it('signs id, timestamp and body, as the specification computes it', async () => {
    // The example of the specification's reference implementations.
    expect(
      webhookSignature(
        'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        'msg_p5jXN8AQM9LWM0D4loKWxJek',
        1_614_265_330,
        '{"test": 2432232314}',
      ),
    ).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    const hook = await openHook();
    await hook.notifier.send(messageOf(), AbortSignal.timeout(10_000));
    const { headers, body } = hook.received[0]!;
    expect(headers['webhook-timestamp']).toBe('1790000000');
    expect(headers['webhook-signature']).toBe(webhookSignature(SECRET, messageOf().id, 1_790_000_000, body));
    expect(JSON.parse(body)).toMatchObject({
      type: 'alerts',
      site: 'Werk Nord',
      alerts: [{ opened_at: '2026-03-01T13:05:00.000Z', closed_at: null }],
    });
    await hook.stop();
  });

  it('follows no redirect and reads no answer without end', async () => {
    const hook = await openHook();
    hook.behave('elsewhere');
    await expect(hook.notifier.send(messageOf(), AbortSignal.timeout(10_000))).rejects.toThrow(
      /does not take the message/,
    );
    hook.behave('endless');
    expect(await hook.notifier.send(messageOf(), AbortSignal.timeout(10_000))).toMatch(/^HTTP 200/);
    hook.behave('refusing');
    const error = await hook.notifier.send(messageOf(), AbortSignal.timeout(10_000)).then(String, (e: Error) => e);
    expect(error).toBeInstanceOf(InvalidDataError);
    expect((error as Error).message).toMatch(/HTTP 404, not here/);
    await hook.stop();
  });
});
