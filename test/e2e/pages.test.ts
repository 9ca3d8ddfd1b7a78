import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveValue, Services } from '../../gateway/services.ts';
import { hasChromium } from '../setup/chromium.ts';
import { createSampleServices } from '../web/sample-services.ts';
import { SAMPLE_NOW_MS, TENANT } from '../web/sample-site.ts';
import { emptyServices } from '../web/sample-variants.ts';
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

const PATHS = [
  '/',
  '/meters',
  '/meters/grid?quantity=import_kWh',
  '/meters/hall-2',
  '/prices',
  '/plan',
  '/plan/savings',
  '/plan/simulate',
  '/plan/signals',
  '/plan/devices/new?kind=vehicle',
  '/plan/settings',
  '/forecasts?series=price',
];
const FULL_WEIGHT = 150_000;

let sample: OpenSample;
let browser: Browser;
let site: SampleSite;
let services: Services;

describe.skipIf(!hasChromium)('pages in a browser', () => {
  beforeAll(async () => {
    const started = Date.now();
    services = createSampleServices({ now: () => SAMPLE_NOW_MS + Date.now() - started });
    sample = await openSample(services);
    ({ browser, site } = sample);
  });
  afterAll(() => sample?.close());

  describe.each(LOOKS)('$width px, $theme, $language', (look) => {
    let context: BrowserContext;
    beforeAll(async () => {
      context = await contextOf(browser, site.url, look);
    });
    afterAll(() => context?.close());

    it.concurrent.each([...PATHS, '/nope'])('%s is accessible, fits, obeys the policy and is light', async (path) => {
      const { page, complaints, weight } = await visit(context, site.url + path);
      const unexpected = complaints.filter((text) => path !== '/nope' || !text.includes('404'));
      expect(unexpected).toEqual([]);
      expect(await looksWrong(page)).toEqual([]);
      expect(weight).toBeGreaterThan(10_000);
      expect(weight).toBeLessThanOrEqual(FULL_WEIGHT);
      await page.close();
    });
  });

  it('empty pages are accessible too', async () => {
    const empty = await startSampleSite(emptyServices());
    const context = await contextOf(browser, empty.url, LOOKS[1]!);
    for (const path of ['/', '/meters', '/prices', '/forecasts']) {
      const { page, complaints } = await visit(context, empty.url + path);
      expect([path, complaints, await looksWrong(page)]).toEqual([path, [], []]);
      await page.close();
    }
    await context.close();
    await empty.close();
  });

  it('shows the first view within a second', async () => {
    const context = await contextOf(browser, site.url, LOOKS[0]!);
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { page, painted_ms } = await visit(context, `${site.url}/`);
      times.push(painted_ms);
      await page.close();
    }
    expect(Math.min(...times)).toBeLessThan(1_000);
    await context.close();
  });

  it('shows a reading within 2 s, and keeps focus, open details and the place on the page', async () => {
    const context = await contextOf(browser, site.url, LOOKS[0]!);
    const { page } = await visit(context, `${site.url}/`);
    await page.locator('#now-next summary').click();
    await page.locator('.advice-text a').focus();
    await page.evaluate('scrollTo(0, 300)');
    const of = services.live.of;
    services.live.of = (tenant, meter) => {
      if (meter !== 'solar') return of(tenant, meter);
      const at_ms = services.clock.now();
      const value: LiveValue = { at_ms, received_ms: at_ms, value: 123_400, quality: 0 };
      return new Map([['power_W', value]]);
    };
    services.bus.publish({ type: 'readings', tenant: TENANT, meters: ['solar'] });
    await page.locator('.flow-value', { hasText: '123' }).waitFor({ timeout: 2_000 });
    services.live.of = of;
    const kept = await page.evaluate(`({
      open: document.querySelector('#now-next details').open,
      focus: document.activeElement.closest('.advice-text') !== null,
      place: scrollY,
    })`);
    expect(kept).toEqual({ open: true, focus: true, place: 300 });
    await context.close();
  });

  it('says once that the connection is lost, and heals by itself', async () => {
    const lonely = await startSampleSite(services);
    const context = await contextOf(browser, lonely.url, LOOKS[0]!);
    const { page } = await visit(context, `${lonely.url}/meters`);
    const notice = page.locator('#connection');
    expect(await notice.isVisible()).toBe(false);
    await lonely.close();
    await notice.waitFor({ state: 'visible', timeout: 10_000 });
    expect(await notice.textContent()).toMatch(/No connection to the box since \d\d:\d\d/);
    expect(await axeFaults(page)).toEqual([]);
    await lonely.restart();
    await notice.waitFor({ state: 'hidden', timeout: 20_000 });
    await context.close();
    await lonely.close();
  });

  it('reads exact values of a chart with pointer and keyboard', async () => {
    const context = await contextOf(browser, site.url, LOOKS[0]!);
    const { page } = await visit(context, `${site.url}/prices`);
    const chart = page.locator('#chart-price-0');
    await chart.locator('.area').hover({ position: { x: 5, y: 20 } });
    expect(await chart.locator('.readout').textContent()).toMatch(/^00:00what you pay \d+\.\d/);
    await chart.locator('.chart-focus').focus();
    await page.keyboard.press('End');
    expect(await chart.locator('.chart-focus').getAttribute('aria-valuetext')).toMatch(/^23:45, what you pay \d+\.\d/);
    await context.close();
  });

  it('zooms a meter from a day to seconds and to a year, and reads by keyboard', async () => {
    const context = await contextOf(browser, site.url, LOOKS[0]!);
    const { page, complaints } = await visit(context, `${site.url}/meters/grid`);
    const resolutions: (string | null)[] = [];
    page.on('request', (request) => {
      const query = new URL(request.url());
      if (query.pathname.endsWith('/query')) resolutions.push(query.searchParams.get('resolution'));
    });
    const area = page.locator('.u-over');
    const box = (await area.boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => resolutions).toEqual(['raw']);
    await page.locator('[data-range=year]').click();
    await expect.poll(() => resolutions).toEqual(['raw', 'day']);
    await page.locator('.zoom-area').focus();
    await page.keyboard.press('End');
    await expect.poll(() => page.locator('luna-zoom .readout').textContent()).toMatch(/2026.*W/);
    await page.locator('luna-zoom summary').click();
    await expect.poll(() => page.locator('luna-zoom tbody tr').count()).toBeGreaterThan(100);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('works without JavaScript: the preference and the answer to advice are forms', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${site.url}/prices`);
    await page.locator('.side button[value=de]').click();
    expect(await page.locator('h1').textContent()).toBe('Preise');
    await page.goto(`${site.url}/`);
    await page.locator('button[value=accepted]').click();
    expect(new URL(page.url()).pathname).toBe('/');
    await context.close();
  });
});
