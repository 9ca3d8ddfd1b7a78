import { describe, expect, it } from 'vitest';
import type { Actor, Services } from '../../gateway/services.ts';
import { createSampleApp } from './sample-app.ts';
import { ADMIN, createSampleServices } from './sample-services.ts';
import { SAMPLE_NOW_MS, TENANT } from './sample-site.ts';

type Reader = { next(event: string): Promise<string>; seen: string[]; close(): Promise<void> };

/** Reads the events of a stream one by one. */
async function open(services: Services, query: string, app = createSampleApp(services)): Promise<Reader> {
  const answer = await app.request(`/stream?${query}`);
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const reader = answer.body!.getReader();
  const decoder = new TextDecoder();
  const seen: string[] = [];
  let text = '';
  return {
    seen,
    async next(event) {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const message = text.slice(0, end);
          text = text.slice(end + 2);
          const name = /^event: (.*)$/m.exec(message)?.[1] ?? '';
          seen.push(name);
          if (name === event) return message.replaceAll(/^(event: .*\n)|^data: /gm, '');
          continue;
        }
        const { value, done } = await reader.read();
        if (done) throw new Error('the stream ended');
        text += decoder.decode(value);
      }
    },
    close: () => reader.cancel(),
  };
}

describe('live stream', () => {
  it('sends all regions at first, and afterwards only what differs', async () => {
    let now_ms = SAMPLE_NOW_MS;
    const services = createSampleServices({ now: () => now_ms });
    const stream = await open(services, 'page=now');
    const first = await stream.next('flow');
    // What is live and what is gathered come side by side.
    for (const name of ['next', 'clock']) if (!stream.seen.includes(name)) await stream.next(name);
    const everything = ['advice', 'as-of', 'clock', 'cost', 'data', 'flow', 'next', 'state'];
    expect(stream.seen.toSorted()).toEqual(everything);
    services.bus.publish({ type: 'readings', tenant: TENANT, meters: ['grid'] });
    await stream.next('clock');
    expect(stream.seen.slice(8)).toEqual(['clock']);
    now_ms += 5_000;
    const begun = performance.now();
    services.bus.publish({ type: 'readings', tenant: TENANT, meters: ['grid'] });
    expect(await stream.next('flow')).not.toBe(first);
    // The next that comes by itself, if nothing was said, comes after half a minute.
    expect(performance.now() - begun).toBeLessThan(10_000);
    await stream.close();
  });

  it('goes on with what is live while the stores do not answer', async () => {
    let now_ms = SAMPLE_NOW_MS;
    const never = new Proxy({}, { get: () => () => new Promise<never>(() => {}) });
    const replace = { data: never, prices: never } as Partial<Services>;
    const services = createSampleServices({ now: () => now_ms, replace });
    const stream = await open(services, 'page=now');
    const first = await stream.next('flow');
    now_ms += 5_000;
    services.bus.publish({ type: 'readings', tenant: TENANT, meters: ['grid'] });
    expect(await stream.next('flow')).not.toBe(first);
    expect(stream.seen).not.toContain('next');
    await stream.close();
  });

  it('hears nothing of other tenants', async () => {
    const services = createSampleServices();
    const stream = await open(services, 'page=meters');
    await stream.next('clock');
    let asked = 0;
    const list = services.meters.list;
    services.meters.list = (tenant) => {
      asked++;
      return list(tenant);
    };
    services.bus.publish({ type: 'readings', tenant: 'somebody else', meters: ['grid'] });
    await new Promise((done) => setTimeout(done, 1_300));
    expect(asked).toBe(0);
    services.bus.publish({ type: 'readings', tenant: TENANT, meters: ['grid'] });
    await stream.next('clock');
    expect(asked).toBe(1);
    await stream.close();
  });

  it('goes on after a failure', async () => {
    const services = createSampleServices();
    const list = services.meters.list;
    let isDown = true;
    services.meters.list = (tenant) => {
      if (isDown) throw new Error('down');
      return list(tenant);
    };
    const opening = open(services, 'page=meters');
    await new Promise((done) => setTimeout(done, 50));
    isDown = false;
    services.bus.publish({ type: 'device', tenant: TENANT, device: 'x' });
    const stream = await opening;
    expect(await stream.next('meters')).toContain('Hall 2');
    await stream.close();
  });

  it('ends its subscription when the page is closed', async () => {
    const services = createSampleServices();
    let open_subscriptions = 0;
    const subscribe = services.bus.subscribe;
    services.bus.subscribe = (listener) => {
      open_subscriptions++;
      const stop = subscribe(listener);
      return () => {
        open_subscriptions--;
        stop();
      };
    };
    const stream = await open(services, 'page=meters');
    await stream.next('clock');
    const before = open_subscriptions;
    await stream.close();
    await expect.poll(() => open_subscriptions).toBe(before - 1);
  });

  it.each<[string, Actor | null]>([
    ['signed out', null],
    ['given another role', { ...ADMIN, role: 'user' }],
  ])('ends once the reader was %s, and tells nothing more', async (_, later) => {
    const services = createSampleServices();
    let actor: Actor | null = { ...ADMIN, role: 'admin' };
    const stream = await open(services, 'page=meters', createSampleApp(services, { actor_now: async () => actor }));
    await stream.next('clock');
    services.bus.publish({ type: 'readings', tenant: TENANT, meters: ['grid'] });
    await stream.next('clock');
    const before = stream.seen.length;
    actor = later;
    services.bus.publish({ type: 'readings', tenant: TENANT, meters: ['grid'] });
    await expect(stream.next('clock')).rejects.toThrow('the stream ended');
    expect(stream.seen).toHaveLength(before);
  });

  it('gives one person twenty streams and a new one for each that ends', async () => {
    const services = createSampleServices();
    const app = createSampleApp(services);
    const streams = await Promise.all(Array.from({ length: 20 }, () => open(services, 'page=meters', app)));
    const refused = await app.request('/stream?page=meters');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    await streams.pop()?.close();
    await expect
      .poll(async () => {
        const answer = await app.request('/stream?page=meters');
        await answer.body?.cancel();
        return answer.status;
      })
      .toBe(200);
    await Promise.all(streams.map((stream) => stream.close()));
  });

  it('refuses a page without a live view', async () => {
    expect((await createSampleApp(createSampleServices()).request('/stream?page=nope')).status).toBe(404);
  });

  it('survives a meter that was removed while its page is open', async () => {
    const stream = await open(createSampleServices(), 'page=meter&id=gone');
    expect(await stream.next('clock')).toBe(String(SAMPLE_NOW_MS));
    await stream.close();
  });
});
