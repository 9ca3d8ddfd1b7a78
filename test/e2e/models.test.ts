import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolderFiles } from '../../connectors/files/folder.ts';
import type { FileStore } from '../../engine/ports.ts';
import { createAlertService } from '../../gateway/services/alerts.ts';
import { createModelService, type ModelService } from '../../gateway/services/models.ts';
import { hasChromium } from '../setup/chromium.ts';
import { openTestDatabase, type TestDatabase } from '../setup/database.ts';
import { type Errors, judgedWorkers, measuredLoad } from '../setup/judged-models.ts';
import { createSampleServices } from '../web/sample-services.ts';
import { SAMPLE_NOW_MS, SITE, TENANT } from '../web/sample-site.ts';
import { contextOf, LOOKS, looksWrong, type OpenSample, openSample } from './sample-site.ts';

const DAY_MS = 86_400_000;

describe.skipIf(!hasChromium)('models on the Forecasts page', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let folder: string;
  let files: FileStore;
  let sample: OpenSample;
  let context: BrowserContext;
  let page: Page;
  let models: ModelService;
  let now_ms = SAMPLE_NOW_MS;
  let errors: Errors;

  beforeAll(async () => {
    [database, folder] = await Promise.all([openTestDatabase(), mkdtemp(join(tmpdir(), 'luna-models-'))]);
    files = await openFolderFiles({ dir: folder });
    await database.db.asSystem((sql) =>
      sql('insert into tenant (id, name) values ($1, $1) on conflict do nothing', [TENANT]),
    );
    const now = () => now_ms;
    const services = createSampleServices({ now });
    errors = { 'load-mix/1': (day) => 4000 + (day % 5), 'hourly-ridge/1': (day) => 5000 + (day % 3) };
    for (const recipe of ['seasonal-naive/1', 'day-profiles/1', 'hours-mix/1'])
      errors[recipe] = (day) => 6500 + (day % 4);
    const { clock, log, bus, metrics } = services;
    models = createModelService({
      ...{ db: database.db, files, clock, log, bus, metrics, threads: 2, code_version: 'test' },
      ...judgedWorkers(() => errors, now),
      alerts: createAlertService({ db: database.db, clock, bus }),
      jobs: { define: () => {}, schedule: () => {}, send: async () => {} },
      site: { tenants: () => [TENANT], get: () => SITE },
      balance: measuredLoad(() => 84_000, SAMPLE_NOW_MS - 60 * DAY_MS, now),
      market: async () => Promise.reject(new Error('no prices here')),
      tariffs: { area: () => null },
    });
    sample = await openSample({ ...services, models });
    context = await contextOf(sample.browser, sample.site.url, LOOKS[0]!);
    page = await context.newPage();
  });
  afterAll(async () => {
    await context?.close();
    await sample?.close();
    await files?.close();
    await database?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const row = (recipe: string) => page.locator(`[data-horizon="day-ahead"] [data-run="${recipe}"]`);

  it('a challenger is trained, wins and goes live; broken, it is rolled back by itself', async () => {
    await page.goto(`${sample.site.url}/forecasts`);
    await page.getByRole('button', { name: 'Train now' }).click();
    await expect.poll(() => models.training(TENANT), { timeout: 60_000 }).toBeNull();
    await models.judge(TENANT);
    await page.goto(`${sample.site.url}/forecasts`);
    await expect.poll(() => row('load-mix/1').textContent()).toMatch(/live/);
    expect(await row('hourly-ridge/1').textContent()).toMatch(/was live before/);

    // From here on the live model is far off, the one before it is not.
    const broken_ms = now_ms;
    errors['load-mix/1'] = (day) => (day * DAY_MS > broken_ms ? 40_000 : 4000 + (day % 5));
    now_ms += 3 * DAY_MS;
    await models.judge(TENANT);
    await page.reload();
    await expect.poll(() => row('hourly-ridge/1').textContent()).toMatch(/live/);
    expect(await row('load-mix/1').textContent()).toMatch(/rolled back/);
  });

  it('people make one live, pin it and go back', async () => {
    await page.goto(`${sample.site.url}/forecasts`);
    await row('seasonal-naive/1').getByRole('button', { name: 'Make live' }).click();
    await expect.poll(() => row('seasonal-naive/1').textContent()).toMatch(/live/);
    await row('seasonal-naive/1').getByRole('button', { name: 'Pin', exact: true }).click();
    await expect.poll(() => row('seasonal-naive/1').textContent()).toMatch(/pinned/);
    await row('seasonal-naive/1').getByRole('button', { name: 'Unpin' }).click();
    await expect.poll(() => row('seasonal-naive/1').textContent()).not.toMatch(/pinned/);
    await row('seasonal-naive/1').getByRole('button', { name: 'Roll back' }).click();
    await expect.poll(() => row('hourly-ridge/1').textContent()).toMatch(/live/);
  });

  it('says in words what an hour is made of, and looks right', async () => {
    await page.goto(`${sample.site.url}/forecasts`);
    await page.locator('#why-hour').selectOption({ index: 3 });
    await page.getByRole('button', { name: 'Show why' }).click();
    await expect.poll(() => page.textContent('main')).toMatch(/yesterday at this time \(\+18/);
    expect(await looksWrong(page)).toEqual([]);
  });
});
