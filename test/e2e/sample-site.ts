/** The pages over the sample building on a free port, and a browser that notes everything it should not see. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { AxeBuilder } from '@axe-core/playwright';
import { serve } from '@hono/node-server';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Services } from '../../gateway/services.ts';
import { launchChromium } from '../setup/chromium.ts';
import { createSampleApp } from '../web/sample-app.ts';

export type SampleSite = { url: string; close(): Promise<void>; restart(): Promise<void> };

/** Starts the pages; `restart` closes all connections and listens on the same port again. */
export async function startSampleSite(
  services: Services,
  options: Parameters<typeof createSampleApp>[1] = {},
): Promise<SampleSite> {
  const app = createSampleApp(services, options);
  const listen = async (port: number) => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' });
    if (!server.listening) await once(server, 'listening');
    return server;
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return {
    url: `http://127.0.0.1:${port}`,
    close,
    restart: async () => {
      server = await listen(port);
    },
  };
}

export type Look = { width: number; theme: 'light' | 'dark'; language: 'en' | 'de' };
export const LOOKS: readonly Look[] = [
  { width: 1280, theme: 'light', language: 'en' },
  { width: 390, theme: 'dark', language: 'de' },
];

/** A fresh browser profile of the given size, appearance and language. */
export async function contextOf(browser: Browser, url: string, look: Look): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.width < 600 ? 844 : 800 },
    colorScheme: look.theme,
  });
  await context.addCookies([{ name: 'luna_language', value: look.language, url }]);
  return context;
}

export type Visit = {
  page: Page;
  /** Console errors, exceptions, failed requests and breaches of the content security policy. */
  complaints: string[];
  /** Bytes over the wire of page, style, scripts and data. */
  weight: number;
  /** Milliseconds until something was painted. */
  painted_ms: number;
};

/** Opens a page with an empty cache and waits until it has settled. */
export async function visit(context: BrowserContext, address: string): Promise<Visit> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => {
    if (!request.url().includes('/stream')) complaints.push(`${request.url()} failed`);
  });
  await page.addInitScript(TELL_BREACHES);
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  await network.send('Network.setCacheDisabled', { cacheDisabled: true });
  let weight = 0;
  const streams = new Set<string>();
  network.on('Network.responseReceived', ({ requestId, response }) => {
    if (response.mimeType === 'text/event-stream') streams.add(requestId);
  });
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (!streams.has(requestId)) weight += encodedDataLength;
  });
  await page.goto(address, { waitUntil: 'load' });
  await page.evaluate(SETTLED);
  const painted_ms = await page.evaluate<number>(PAINTED);
  return { page, complaints, weight, painted_ms };
}

export type OpenSample = { browser: Browser; site: SampleSite; close(): Promise<void> };

/** A browser and the pages over `services`. */
export async function openSample(services: Services): Promise<OpenSample> {
  const [browser, site] = await Promise.all([launchChromium(), startSampleSite(services)]);
  return {
    browser,
    site,
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

/** What is wrong with how a page looks, in no case but those named. */
export async function looksWrong(page: Page): Promise<string[]> {
  return [...(await axeFaults(page)), ...(await sticksOut(page)).map((element) => `sticks out: ${element}`)];
}

/** What axe finds, one line a violation. */
export async function axeFaults(page: Page): Promise<string[]> {
  // Our pages have no foreign frames: without legacy mode each look opens a second page to put its findings together.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
}

/** What sticks out of the window to the right; empty where the page does not scroll sideways. */
export function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(STICKS_OUT);
}

// What runs in the browser is text, since the project's types are those of Node.
export const TELL_BREACHES = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample))`;
/** Resolves once nothing on the page has changed or moved for a moment: charts are drawn, the first of the stream is in. */
const SETTLED = `new Promise((settled) => {
  const begun = performance.now();
  let changed = begun;
  new MutationObserver(() => { changed = performance.now(); })
    .observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  const look = () => {
    const now = performance.now();
    const moves = document.getAnimations().some((each) => each.playState === 'running' && each.effect.getComputedTiming().iterations !== Infinity);
    if ((now - changed > 200 && !moves) || now - begun > 5000) settled();
    else setTimeout(look, 25);
  };
  look();
})`;
const PAINTED = `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN`;
const STICKS_OUT = `document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5)
    .map((element) => element.tagName + ' ' + (element.getAttribute('class') ?? ''))`;
