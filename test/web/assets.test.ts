import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createAssets } from '../../gateway/http/assets.ts';

const assets = createAssets();
const get = (path: string, headers: Record<string, string> = {}) => assets.app.request(path, { headers });

describe('assets', () => {
  it('are kept for ever under their own address, and asked again under another', async () => {
    const url = assets.url('luna.css');
    expect((await get(url)).headers.get('cache-control')).toContain('immutable');
    expect((await get(url.replace(/\/static\/\w+/, '/static/old'))).headers.get('cache-control')).toBe('no-cache');
  });
  it('are not sent again when they are the same', async () => {
    const first = await get(assets.url('htmx.js'));
    const again = await get(assets.url('htmx.js'), { 'if-none-match': first.headers.get('etag')! });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });
  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)('come packed as %s and unpack to the same', async (encoding, unpack) => {
    const plain = Buffer.from(await (await get(assets.url('luna.css'))).arrayBuffer());
    const answer = await get(assets.url('luna.css'), { 'accept-encoding': encoding });
    const packed = Buffer.from(await answer.arrayBuffer());
    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(packed.length).toBeLessThan(plain.length / 2);
    expect(unpack(packed).equals(plain)).toBe(true);
  });
  it('are not packed for who does not want it', async () => {
    const answer = await get(assets.url('luna.css'), { 'accept-encoding': 'br;q=0, identity' });
    expect(answer.headers.get('content-encoding')).toBeNull();
  });
  it('are a closed list', async () => {
    expect((await get('/static/0/package.json')).status).toBe(404);
    expect((await get('/static/0/..%2f..%2fpackage.json')).status).toBe(404);
    expect((await get('/static/0/__proto__')).status).toBe(404);
    expect(() => assets.url('nope.js')).toThrow(/not on the list/);
  });
});
