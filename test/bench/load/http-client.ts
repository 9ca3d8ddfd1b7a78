/** Posts one reading per request over kept-alive connections, one request under way on each. */
import { connect, type Socket } from 'node:net';
import type { Counters } from './mqtt-client.ts';
import { createAcknowledged, type LoadClient } from './protocol.ts';

const RETRY_MS = 100;

/** @param persistent tries again what was refused, for a box that is just starting */
export function createHttpClient(
  port: () => number,
  client: LoadClient,
  key: string,
  base_ms: number,
  counters: Counters,
  persistent: boolean,
) {
  const acknowledged = createAcknowledged();
  let socket: Socket | null = null;
  let text = '';
  let next = 0;
  let current = -1;
  let sent_at = 0;
  let again: () => void = () => {};

  function post(n: number): void {
    current = n;
    sent_at = performance.now();
    const body = `{"meter":"${client.meter}","at":${base_ms + n},"power_W":${n % 5000}.5}`;
    socket?.write(
      `POST /api/v1/readings HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }
  function take(bytes: Buffer): void {
    text += bytes.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < end + 4 + length) return;
    const status = text.slice(9, 12);
    const body = text.slice(end + 4, end + 4 + length);
    text = text.slice(end + 4 + length);
    if (status !== '200' && persistent) return void setTimeout(() => current >= 0 && post(current), RETRY_MS);
    if (status !== '200') throw new Error(`HTTP ${status}: ${body.slice(0, 300)}`);
    acknowledged.add(current);
    counters.latencies[counters.acked % counters.latencies.length] = performance.now() - sent_at;
    counters.acked++;
    current = -1;
    again();
  }
  return {
    meter: client.meter,
    acknowledged,
    sent: () => next,
    send(_count: number): void {
      post(next++);
    },
    underWay: () => (current < 0 ? 0 : 1),
    onAcks(listener: (count: number) => void): void {
      again = () => listener(1);
    },
    open(): Promise<void> {
      return new Promise((resolve, reject) => {
        const opened = connect({ port: port(), host: '127.0.0.1', noDelay: true }, () => {
          socket = opened;
          text = '';
          resolve();
        });
        opened.once('error', reject);
        opened.on('data', take);
      });
    },
    resend(): void {
      if (current >= 0) post(current);
    },
    onClose(listener: () => void): void {
      socket?.once('close', listener);
    },
    end: () => socket?.destroy(),
  };
}
