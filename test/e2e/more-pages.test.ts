/** Admin, add a meter, import, questions, documents, advice, alerts and sign-in in a browser, as `pages.test.ts` does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProfileCatalogue } from '../../gateway/services/profiles.ts';
import type { Services } from '../../gateway/services.ts';
import { hasChromium } from '../setup/chromium.ts';
import { SETUP_TOKEN } from '../web/sample-admin.ts';
import { QUOTE } from '../web/sample-documents.ts';
import { createSampleServices } from '../web/sample-services.ts';
import { SAMPLE_NOW_MS } from '../web/sample-site.ts';
import {
  axeFaults,
  contextOf,
  LOOKS,
  looksWrong,
  type OpenSample,
  openSample,
  type SampleSite,
  startSampleSite,
  visit,
} from './sample-site.ts';

const PROFILES = openProfileCatalogue(join(import.meta.dirname, '../../firmware-profiles'));
const VIEWER = `/documents/d1?${new URLSearchParams({ version: '2026-01-01', page: '1', quote: QUOTE }).toString()}`;
const PATHS = [
  ...['site', 'people', 'keys', 'devices', 'hosts', 'regulation', 'health', 'audit'].map((tab) => `/admin/${tab}`),
  ...['/meters/new', '/meters/new?profile=eastron-sdm630', '/meters/new?profile=homewizard-p1', '/meters/new?way=mqtt'],
  ...[
    '/meters/new/search',
    '/meters/new/virtual',
    '/meters/rest/formula',
    '/devices/solar-device',
    '/devices/servers-device',
    '/import',
  ],
  ...[
    '/ask?question=What+power',
    '/ask?question=How+high',
    '/ask?conversation=c0',
    '/documents',
    '/advice',
    '/alerts',
    '/alerts/al-open',
    '/admin/notifications',
    '/admin/backups',
    '/api',
  ],
];
const STRANGERS = ['/sign-in', `/setup?token=${SETUP_TOKEN}`, '/setup?token=wrong'];

/** Files that are sent wait here. */
const home = mkdtempSync(join(tmpdir(), 'luna-more-pages-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

let sample: OpenSample;
let browser: Browser;
let site: SampleSite;

function services(replace: Partial<Services> = {}): Services {
  const started = Date.now();
  return createSampleServices({
    now: () => SAMPLE_NOW_MS + Date.now() - started,
    replace: { profiles: PROFILES, config: { ...createSampleServices().config, home }, ...replace },
  });
}

describe.skipIf(!hasChromium)('the other pages in a browser', () => {
  beforeAll(async () => {
    sample = await openSample(services());
    ({ browser, site } = sample);
  });
  afterAll(() => sample?.close());

  describe.each(LOOKS)('$width px, $theme, $language', (look) => {
    let context: BrowserContext;
    beforeAll(async () => {
      context = await contextOf(browser, site.url, look);
    });
    afterAll(() => context?.close());

    it.concurrent.each(PATHS)('%s is accessible, fits and obeys the policy', async (path) => {
      const { page, complaints } = await visit(context, site.url + path);
      // What is folded has to be accessible, too.
      await page.evaluate(`document.querySelectorAll('main details.edit').forEach((each) => { each.open = true; })`);
      expect([complaints, await looksWrong(page)]).toEqual([[], []]);
      await page.close();
    });

    it('a page of a document is drawn, with the passage marked', async () => {
      const { page, complaints } = await visit(context, site.url + VIEWER);
      await page.locator('luna-page[data-drawn]').waitFor();
      expect(await page.locator('.marks rect').count()).toBe(1);
      expect([complaints, await looksWrong(page)]).toEqual([[], []]);
      await page.close();
    });

    it.concurrent.each(STRANGERS)('%s for strangers', async (path) => {
      const outside = await startSampleSite(services({ site: { ...services().site, get: () => null } }), {
        signed_in: false,
      });
      const { page, complaints } = await visit(context, outside.url + path);
      const unexpected = complaints.filter((text) => !text.includes('403'));
      expect([unexpected, await looksWrong(page)]).toEqual([[], []]);
      await page.close();
      await outside.close();
    });
  });

  it('a meter is tested before it is saved, and its password is shown once', async () => {
    const context = await contextOf(browser, site.url, LOOKS[0]!);
    const { page, complaints } = await visit(context, `${site.url}/meters/new`);
    await page.fill('#find', 'sdm630');
    expect(await page.locator('#profiles li:visible').count()).toBe(1);
    await page.locator('#profiles a:visible').click();
    await page.fill('#host', '192.168.1.20');
    await page.fill('#name', 'Hall 3');
    await page.locator('button[value=test]').click();
    await page.locator('#test-result table').waitFor();
    expect(await page.locator('#test-result').textContent()).toMatch(/Power.*4,210\.5\sW.*0x4583 0x9400/s);
    expect(await page.inputValue('#name')).toBe('Hall 3');
    expect(await axeFaults(page)).toEqual([]);
    await page.goto(`${site.url}/meters/new?way=mqtt`);
    await page.fill('#id', 'workshop');
    await page.locator('main button.primary').click();
    await page.locator('.copy-block pre').first().waitFor();
    expect(await page.locator('.copy-block pre').first().textContent()).toContain(`-P '${'p'.repeat(43)}'`);
    expect(await page.locator('button.copy').count()).toBeGreaterThan(3);
    expect(await axeFaults(page)).toEqual([]);
    await page.reload();
    expect(await page.locator('main').textContent()).not.toContain('ppp');
    expect(complaints).toEqual([]);
    await context.close();
  });

  it.each(LOOKS)(
    'a search is watched, stopped, and leads to the filled form and its test read at $width px',
    async (look) => {
      const context = await contextOf(browser, site.url, look);
      const { page, complaints } = await visit(context, `${site.url}/meters/new`);
      await page.locator('a[href="/meters/new/search"]').click();
      await page.locator('form:has(#ranges) button.primary').click();
      await page.locator('#confirmed-error').waitFor();
      expect(await axeFaults(page)).toEqual([]);
      await page.check('#confirmed');
      await page.locator('form:has(#ranges) button.primary').click();
      await page.locator('progress').waitFor();
      // More is found while the page stands still.
      await page.locator('li.found').nth(1).waitFor({ timeout: 15_000 });
      expect(await looksWrong(page)).toEqual([]);
      await page.locator('form[action="/meters/new/search/stop"] button').click();
      await page.locator('progress').waitFor({ state: 'detached' });
      await page.locator('li.found a.button').first().click();
      await page.locator('#test-result table').waitFor();
      expect([await page.inputValue('#host'), await page.inputValue('#unit')]).toEqual(['192.168.1.20', '3']);
      const unexpected = complaints.filter((text) => !text.includes('400'));
      expect([unexpected, await looksWrong(page)]).toEqual([[], []]);
      await page.goto(`${site.url}/meters/new?profile=homewizard-p1&found=f2`);
      expect(await page.inputValue('#url')).toBe('http://192.168.1.31');
      await context.close();
    },
  );

  it.each(LOOKS)('what is asked once stands within the window at $width px', async (look) => {
    const context = await contextOf(browser, site.url, look);
    for (const path of ['/admin/keys', '/documents', '/admin/devices', '/devices/servers-device']) {
      const { page } = await visit(context, site.url + path);
      await page.locator('.ask-once summary').last().click();
      const box = (await page.locator('.ask-once[open] > form').boundingBox())!;
      expect([path, box.x >= 0, box.x + box.width <= look.width]).toEqual([path, true, true]);
      expect(await axeFaults(page)).toEqual([]);
      await page.close();
    }
    await context.close();
  });

  it('a file is looked at, loaded with progress, and reported by line', async () => {
    const context = await contextOf(browser, site.url, LOOKS[1]!);
    const { page, complaints } = await visit(context, `${site.url}/import`);
    const csv = 'Datum;Uhrzeit;Leistung [kW]\n01.06.2026;00:15;12,4\n01.06.2026;00:30;13,0\n';
    await page.setInputFiles('#file', { name: 'juni.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.locator('main button.primary').click();
    await page.locator('table.preview').waitFor();
    expect(
      await page.evaluate(`[...document.querySelectorAll('table.preview select')].map((each) => each.value)`),
    ).toEqual(['at', 'at', 'q:power_W']);
    expect(await looksWrong(page)).toEqual([]);
    await page.selectOption('#meter_id', 'grid');
    await page.locator('main button.primary').click();
    await page.locator('progress').waitFor();
    await page.locator('.counts').waitFor({ timeout: 5_000 });
    expect(await page.locator('#load').textContent()).toMatch(/1\.431.*902/s);
    expect([complaints, await looksWrong(page)]).toEqual([[], []]);
    await context.close();
  });
});
