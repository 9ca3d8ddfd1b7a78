import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { sweep, type Target } from '../../../connectors/meters/discovery/sweep.ts';

describe('the sweep over addresses', () => {
  it('keeps to its rate and to so many at once, tells who is open, and ends when it is stopped', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const targets = Array.from({ length: 40 }, (_, i): Target => ({ host: '127.0.0.1', port: i % 2 ? port : 1 }));
    let [under_way, most, done, open] = [0, 0, 0, 0];
    const onOpen = async () => {
      open += 1;
      most = Math.max(most, ++under_way);
      await new Promise((resolve) => setTimeout(resolve, 20));
      under_way -= 1;
    };
    const begun = performance.now();
    const onDone = () => void done++;
    await sweep(targets, onOpen, { signal: AbortSignal.timeout(20_000), most_at_once: 4, most_per_s: 100, onDone });
    expect([done, open]).toEqual([40, 20]);
    expect(most).toBeLessThanOrEqual(4);
    expect(performance.now() - begun).toBeGreaterThan(370);
    const stop = new AbortController();
    await sweep(targets, async () => stop.abort(), { signal: stop.signal, most_at_once: 1, onDone });
    expect(done).toBe(42);
    server.close();
  });
});
