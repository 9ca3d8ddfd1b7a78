/** Documents and questions as people use them: a real PDF on a real box, its page with the passage marked. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../../gateway/services/answers/answer.ts';
import type { Services } from '../../gateway/services.ts';
import { linesAt, pdfOf } from '../gateway/workers/pdfs.ts';
import { type Box, startBox } from '../setup/box.ts';
import { hasChromium, launchChromium } from '../setup/chromium.ts';
import { createSampleServices } from '../web/sample-services.ts';
import { axeFaults, contextOf, LOOKS, type OpenSample, openSample, visit } from './sample-site.ts';
import { openVisitor, type Visitor } from './visitor.ts';

const PASSWORD = 'nine rivers and a bridge';
const SITE = {
  ...{ id: 'main', name: 'Mill & Weir', place: 'Freiburg', time_zone: 'Europe/Berlin', country: 'DE', currency: 'EUR' },
  energy_price: { kind: 'fixed', per_kWh: 0.25, vat_percent: 19 },
};
const TAXONOMY = join(
  resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data'),
  'regulation/pdf/eu_2020_852_taxonomy_en.pdf',
);
const READ_MS = 60_000;

describe.skipIf(!hasChromium)('regulation on a real box', () => {
  let browser: Browser;
  let box: Box;
  let ada: Visitor;

  beforeAll(async () => {
    [browser, box] = await Promise.all([launchChromium(), startBox()]);
    await box.luna('user', 'add', 'the-admin', '--role', 'admin', '--password', PASSWORD);
    ada = await openVisitor(browser, box.url);
    await ada.signIn('the-admin', PASSWORD);
    expect(await ada.api('PUT', '/api/v1/site', SITE)).toMatchObject({ status: 200 });
  });
  afterAll(async () => {
    await browser?.close();
    await box?.remove();
  });

  it('an uploaded PDF becomes ready before one’s eyes, and answers with its page or not at all', async () => {
    const { page } = ada;
    await ada.go('/documents');
    await page.setInputFiles('#file', await pdfFile('rules.pdf', await rules()));
    await page.fill('#title', 'House rules of the mill');
    await page.locator('#upload button.primary').click();
    const row = page.locator('#document-list li.document', { hasText: 'House rules of the mill' });
    await row.locator('.state.ok').waitFor({ timeout: READ_MS });
    expect(await row.textContent()).toMatch(/2 pages/);

    await ada.go('/ask');
    await ask(page, 'What is the minimum power of the sluice heating?');
    const turn = page.locator('.turn').last();
    await turn.and(page.locator('[data-status=answered]')).waitFor();
    expect(await turn.locator('.sentence').first().textContent()).toContain('4.2 kilowatts');
    expect(await turn.locator('.quotes .source').first().textContent()).toMatch(/House rules of the mill.*page 2/);

    // A follow-up stands below; what the documents do not say is said to be so, with what comes nearest.
    await ask(page, 'Which trumpet did the admiral play on Saturn?');
    await page.locator('.turn[data-status=abstained]').waitFor();
    expect(await page.locator('.turn').count()).toBe(2);
    expect(await page.locator('.turn').last().locator('.verdict').textContent()).toContain('The documents do not say');
    expect(await page.locator('.turn').last().locator('.sentence').count()).toBe(0);
    expect(await axeFaults(page)).toEqual([]);

    // The number behind the sentence leads to its quote, the quote to the page with the passage marked.
    const first = page.locator('.turn').first();
    await first.locator('.sentence sup a').first().click();
    expect(await page.evaluate(`document.querySelector(location.hash + ' blockquote').textContent`)).toContain('4.2');
    await first.locator('.quotes .source').first().click();
    await seeMarked(page, '2');
    expect(ada.complaints()).toEqual([]);
    await ada.go('/ask');
    expect(await page.locator('main').textContent()).toContain('What is the minimum power of the sluice heating?');
  });

  it('a scan without text is refused with a reason', async () => {
    const { page } = ada;
    await ada.go('/documents');
    await page.setInputFiles('#file', await pdfFile('scan.pdf', await pdfOf([[]])));
    await page.locator('#upload button.primary').click();
    const row = page.locator('#document-list li.document', { hasText: 'scan' });
    await row.locator('.state.fault').waitFor({ timeout: READ_MS });
    expect(await row.textContent()).toMatch(/refused/);
    expect(await row.textContent()).toMatch(/text|scan/);
    expect(ada.complaints()).toEqual([]);
  });

  it.skipIf(!existsSync(TAXONOMY))(
    'a regulation of the EU: its citation opens the page as it was printed',
    async () => {
      const { page } = ada;
      await ada.go('/documents');
      await page.setInputFiles('#file', TAXONOMY);
      await page.fill('#title', 'Taxonomy Regulation');
      await page.locator('#upload button.primary').click();
      const row = page.locator('#document-list li.document', { hasText: 'Taxonomy Regulation' });
      await row.locator('.state:is(.ok, .warning)').waitFor({ timeout: READ_MS });
      await ada.go('/ask');
      await ask(page, 'What does Article 18 of the Taxonomy Regulation say?');
      const turn = page.locator('.turn[data-status=answered]');
      await turn.waitFor();
      expect(await turn.locator('.quotes li').first().textContent()).toMatch(/minimum safeguards/i);
      await turn.locator('.quotes .source').first().click();
      await seeMarked(page);
      expect(ada.complaints()).toEqual([]);
    },
  );
});

describe.skipIf(!hasChromium)('an answer on its way', () => {
  let sample: OpenSample;
  let services: Services;
  /** Set while an answer waits for it. */
  let goOn: () => void = () => {};

  beforeAll(async () => {
    services = createSampleServices();
    const { ask: answer } = services.answers;
    services.answers.ask = async (actor, request, watch = {}) => {
      if (!/slowly/.test(request.question)) return answer(actor, request, watch);
      // What was read is told at once; the rest comes when the test says so.
      const { on = () => {} } = watch;
      const told: AnswerEvent[] = [];
      const done = await answer(actor, request, { ...watch, on: (event) => told.push(event) });
      for (const event of told.slice(0, 2)) on(event);
      await new Promise<void>((resume) => {
        goOn = resume;
      });
      for (const event of told.slice(2)) on(event);
      return done;
    };
    sample = await openSample(services);
  });
  afterAll(() => sample?.close());

  it.each(LOOKS)('shows what is read before it is written, can be stopped and asked on, at $width px', async (look) => {
    const context = await contextOf(sample.browser, sample.site.url, look);
    const { page, complaints } = await visit(context, `${sample.site.url}/ask`);
    await ask(page, 'Which power, slowly?');
    await page.locator('.turn .read .source').first().waitFor({ state: 'attached' });
    expect(await page.locator('.turn[data-status=working]').count()).toBe(1);
    expect(await axeFaults(page)).toEqual([]);
    await page.locator('[data-stop]').click();
    await page.locator('[data-stop]').waitFor({ state: 'detached' });
    expect(await page.locator('.turn .sentence').count()).toBe(0);
    goOn();
    await ask(page, 'Which power?');
    const turn = page.locator('.turn[data-status=answered]');
    await turn.waitFor();
    await turn.locator('button[data-copy]').waitFor();
    const copied = (await turn.locator('button[data-copy]').getAttribute('data-copy')) ?? '';
    expect(copied).toMatch(
      /4\.2 kilowatts\. \[1\] .*\n\n\[1\] Energiewirtschaftsgesetz \(Auszug\) · §\s14a.*“.*4\.2 kilowatts/s,
    );
    // What was stopped is a request that the browser gave up.
    expect(complaints).toEqual([`${sample.site.url}/ask failed`]);
    await context.close();
  });
});

async function ask(page: Page, question: string): Promise<void> {
  await page.fill('#question', question);
  await page.locator('form.ask button').click();
}

/** The page is drawn and at least one line of it marked. */
async function seeMarked(page: Page, number?: string): Promise<void> {
  const sheet = page.locator('luna-page[data-drawn=true]');
  await sheet.waitFor({ timeout: READ_MS });
  if (number) expect(await sheet.getAttribute('data-page')).toBe(number);
  expect(await page.locator('svg.marks rect').count()).toBeGreaterThan(0);
}

async function pdfFile(name: string, bytes: Uint8Array) {
  return { name, mimeType: 'application/pdf', buffer: Buffer.from(bytes) };
}

function rules(): Promise<Uint8Array> {
  return pdfOf([
    [
      ...linesAt(90, ['§ 1 Opening of the gates'], { bold: true, size: 13 }),
      ...linesAt(120, [
        'The gates of the weir are opened every morning at six by the miller on duty.',
        'Whoever opens them notes the level of the river in the book beside the door.',
      ]),
    ],
    [
      ...linesAt(90, ['§ 2 Heating of the sluice'], { bold: true, size: 13 }),
      ...linesAt(120, [
        'The minimum power of the sluice heating is 4.2 kilowatts at any time of the year.',
        'It is not switched off while the river carries ice.',
      ]),
    ],
  ]);
}
