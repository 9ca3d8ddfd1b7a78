/** One's account, the second factor and the state of the audit log in a browser, wide and narrow, light and dark. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../setup/chromium.ts';
import { PASSWORD } from '../web/sample-admin.ts';
import { createSampleServices } from '../web/sample-services.ts';
import { SAMPLE_NOW_MS } from '../web/sample-site.ts';
import { axeFaults, contextOf, LOOKS, type Look, startSampleSite, sticksOut, visit } from './sample-site.ts';

const SHOTS = process.env.LUNA_TEST_SHOTS;

describe.skipIf(!hasChromium)('account pages', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  const looks: readonly Look[] = LOOKS;

  it.each(looks)(
    'lead through the second factor at $width px, $theme, $language',
    async (look) => {
      const site = await startSampleSite(createSampleServices({ now: () => SAMPLE_NOW_MS }));
      const context = await contextOf(browser, site.url, look);
      try {
        const { page, complaints } = await visit(context, `${site.url}/account`);
        let step = 0;
        const looksRight = async () => {
          expect([await axeFaults(page), await sticksOut(page), complaints]).toEqual([[], [], []]);
          if (SHOTS)
            await page.screenshot({ path: `${SHOTS}/${look.width}-${look.theme}-${step++}.png`, fullPage: true });
        };
        await looksRight();
        await page.fill('#present-begin', PASSWORD);
        await page.locator('#second-factor button.primary').click();
        await page.locator('.qr svg').waitFor();
        // Dark on white, whatever the appearance.
        expect(await page.evaluate(`getComputedStyle(document.querySelector('.qr')).backgroundColor`)).toBe(
          'rgb(255, 255, 255)',
        );
        await looksRight();
        await page.fill('#code', '123456');
        await page.locator('#second-factor button.primary').click();
        await page.locator('.copy-block').waitFor({ timeout: 8000 });
        expect((await page.locator('.copy-block pre').textContent())?.trim().split('\n')).toHaveLength(10);
        await looksRight();
        await page.goto(`${site.url}/account`);
        await looksRight();
        for (const path of ['/admin/people', '/admin/audit']) {
          await page.goto(site.url + path);
          await page
            .locator('details.edit summary')
            .first()
            .click({ timeout: 1000 })
            .catch(() => {});
          await looksRight();
        }
      } finally {
        await context.close();
        await site.close();
      }
    },
    40_000,
  );
});
