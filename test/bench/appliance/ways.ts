/** The main ways of people in a browser, against a box in containers: set up, look around, upload, ask. */

import { openVisitor } from '../../e2e/visitor.ts';
import { linesAt, pdfOf } from '../../gateway/workers/pdfs.ts';
import { launchChromium } from '../../setup/chromium.ts';

export const ADMIN = { login: 'maria', password: 'nine rivers and a bridge' };
const PAGES = [
  '/',
  '/meters',
  '/prices',
  '/forecasts',
  '/plan',
  '/advice',
  '/alerts',
  '/documents',
  '/ask',
  '/admin/health',
  '/admin/backups',
];
/** A document is read in a process of its own, on whatever machine this is. */
const READ_MS = 120_000;

/**
 * Needs LUNA_TEST_CHROMIUM.
 * @param setup_link as the box printed it, at `url`
 * @returns what was seen, one line each. @throws with what a page or its console complained of
 */
export async function walk(url: string, setup_link: string): Promise<string[]> {
  const browser = await launchChromium();
  const seen: string[] = [];
  try {
    const maria = await openVisitor(browser, url);
    const { page } = maria;
    page.setDefaultTimeout(60_000);
    await page.goto(setup_link);
    await page.fill('#login', ADMIN.login);
    await page.fill('#password', ADMIN.password);
    await page.fill('#password_again', ADMIN.password);
    await page.fill('#name', 'Mill & Weir');
    await page.fill('#place', 'Freiburg');
    await page.fill('#per_kWh', '0.234');
    await page.click('button[value=empty]');
    await page.waitForURL(`${url}/`);
    seen.push('set up by the link, signed in');
    for (const path of PAGES) {
      await maria.go(path);
      const title = (await page.locator('h1').first().textContent())?.trim();
      if (!title) throw new Error(`${path} has no title`);
      seen.push(`${path}: ${title}`);
    }
    await maria.go('/documents');
    const bytes = await pdfOf([
      linesAt(80, [
        '1 House rules of the mill',
        'This page tells what the mill draws, and from when on it counts.',
        'The minimum power of the sluice heating is 4.2 kilowatts, whatever the weather.',
        'Pumps are switched off by night unless the river is above its second mark.',
      ]),
    ]);
    await page.setInputFiles('#file', { name: 'rules.pdf', mimeType: 'application/pdf', buffer: Buffer.from(bytes) });
    await page.fill('#title', 'House rules of the mill');
    await page.locator('#upload button.primary').click();
    const row = page.locator('#document-list li.document', { hasText: 'House rules of the mill' });
    await row.locator('.state.ok').waitFor({ timeout: READ_MS });
    await maria.go('/ask');
    await page.fill('#question', 'What is the minimum power of the sluice heating?');
    await page.locator('form.ask button').click();
    const turn = page.locator('.turn[data-status=answered]').last();
    await turn.waitFor({ timeout: READ_MS });
    const sentence = await turn.locator('.sentence').first().textContent();
    if (!sentence?.includes('4.2 kilowatts')) throw new Error(`the answer is: ${sentence}`);
    seen.push('a document was uploaded, read and quoted');
    const complaints = maria.complaints();
    if (complaints.length > 0) throw new Error(`the browser complains: ${complaints.join('; ')}`);
    return seen;
  } finally {
    await browser.close();
  }
}
