/** Files that come with a form of a page: they go to disk while they arrive, behind the token and never before it. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearUploads } from '../../../gateway/http/api/uploads.ts';
import { CSRF, createSampleApp } from '../../web/sample-app.ts';
import { createSampleServices } from '../../web/sample-services.ts';

const PAGES = ['/import', '/documents'];
const SIZE = 24 * 1024 ** 2;
const PIECE = 64 * 1024;
/** What may be on its way between the sender and the disk. */
const MOST_HELD = 4 * 1024 ** 2;

const tokenPart = (token: string) => `--b\r\ncontent-disposition: form-data; name="_csrf"\r\n\r\n${token}\r\n`;
const FILE_PART =
  '--b\r\ncontent-disposition: form-data; name="file"; filename="Zähler.csv"\r\ncontent-type: text/csv\r\n\r\n';
const END = '\r\n--b--\r\n';
const TABLE = 'at,meter,power_W\n2026-06-01T00:00:00Z,grid,5\n';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'luna-pages-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function appOf() {
  const { config } = createSampleServices();
  return createSampleApp(createSampleServices({ replace: { config: { ...config, home } } }), {});
}

function onDisk(): string[] {
  try {
    return readdirSync(join(home, 'uploads'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

const send = (path: string, body: string | ReadableStream<Uint8Array>, length: number) =>
  appOf().request(path, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': String(length) },
    body,
    duplex: 'half',
  } as RequestInit);

describe('a file that is sent with a form of a page', () => {
  it.each(PAGES)('%s is on disk while it arrives, never all of it in memory', async (path) => {
    const begin = Buffer.from(tokenPart(CSRF) + FILE_PART + TABLE);
    let [given, held] = [0, 0];
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          held = Math.max(held, given - onDisk().reduce((sum, file) => sum + statSync(file).size, 0));
          const piece = given === 0 ? begin : Buffer.alloc(PIECE, '\n');
          given += piece.length;
          controller.enqueue(piece);
          if (given < SIZE) return;
          controller.enqueue(Buffer.from(END));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const answer = await send(path, body, SIZE + 1024);
    expect(answer.status).toBe(303);
    expect(given).toBeGreaterThanOrEqual(SIZE);
    expect(held).toBeLessThan(MOST_HELD);
    // The import keeps the one that was chosen; nothing else stays.
    expect(onDisk()).toHaveLength(path === '/import' ? 1 : 0);
  });

  it.each(PAGES)('%s is refused where the token comes after it, is missing or wrong, and not taken', async (path) => {
    const file = FILE_PART + TABLE;
    const forms: [string, RegExp][] = [
      [`${file}\r\n${tokenPart(CSRF)}--b--\r\n`, /before its file.*Send the field _csrf first, the file last/],
      [file + END, /lacks the CSRF token before its file/],
      [tokenPart('wrong') + file + END, /Reload the page/],
      [`${tokenPart('wrong')}${tokenPart(CSRF)}${file}${END}`, /Reload the page/],
      [`--b\r\ncontent-disposition: form-data; name="title"\r\n\r\n${'x'.repeat(400_000)}`, /before its file/],
      ['--b\r\nno form', /Reload the page/],
    ];
    for (const [form, said] of forms) {
      const answer = await send(path, form, form.length);
      expect([answer.status, (await answer.text()).replaceAll(/\s+/g, ' ')]).toEqual([
        403,
        expect.stringMatching(said),
      ]);
      expect(onDisk()).toEqual([]);
    }
  });

  it('is taken byte for byte, however the form is cut into pieces', async () => {
    const form = Buffer.from(tokenPart(CSRF) + FILE_PART + TABLE + END);
    for (const size of [1, 7, 150, 163, form.length]) {
      const pieces = Array.from({ length: Math.ceil(form.length / size) }, (_, i) =>
        form.subarray(i * size, (i + 1) * size),
      );
      const answer = await send('/import', ReadableStream.from(pieces) as ReadableStream<Uint8Array>, form.length);
      expect([size, answer.status]).toEqual([size, 303]);
      expect(answer.headers.get('location')).toContain(new URLSearchParams({ name: 'Zähler.csv' }).toString());
      expect(onDisk().map((file) => readFileSync(file, 'utf8'))).toEqual([TABLE]);
    }
  });

  it('waits over a restart of the box where it was chosen to import, for a week; what was under way goes', async () => {
    const form = tokenPart(CSRF) + FILE_PART + TABLE + END;
    const answer = await send('/import', form, form.length);
    const [kept] = onDisk();
    writeFileSync(join(home, 'uploads', 'half'), 'a');
    writeFileSync(join(home, 'uploads', 'chosen', 'a-load-under-way'), 'a');
    await clearUploads(home);
    expect(onDisk()).toEqual([kept]);
    const page = await appOf().request(answer.headers.get('location')!);
    expect(await page.text()).toContain('Zähler.csv');
    const long_ago = new Date(Date.now() - 8 * 86_400_000);
    utimesSync(kept!, long_ago, long_ago);
    await clearUploads(home);
    expect(onDisk()).toEqual([]);
    await clearUploads(join(home, 'nowhere'));
  });

  it('is taken, and refused in words, over a connection too', async () => {
    const server = serve({ fetch: appOf().fetch, port: 0, hostname: '127.0.0.1' });
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sent = async (path: string, token: string) => {
      const body = new FormData();
      body.set('_csrf', token);
      body.set('file', new File([TABLE.repeat(100_000)], 'a.csv'));
      return fetch(url + path, { method: 'POST', body, redirect: 'manual' });
    };
    for (const path of PAGES) {
      expect((await sent(path, CSRF)).status).toBe(303);
      expect(await (await sent(path, 'wrong')).text()).toContain('Reload the page');
    }
    expect(onDisk().map((file) => statSync(file).size)).toEqual([TABLE.length * 100_000]);
    server.close();
  });
});
