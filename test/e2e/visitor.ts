/** Somebody at a browser, who notes everything that a page should not do and that nobody expected. */
import type { Browser, Page } from 'playwright-core';
import { contextOf, LOOKS, type Look, TELL_BREACHES } from './sample-site.ts';

export type Visitor = {
  page: Page;
  /** Goes to a path of the box and waits until it is loaded. */
  go(path: string): Promise<void>;
  signIn(login: string, password: string): Promise<void>;
  /** Cookies and token as the page's own scripts would send them: what a person may do through the API. */
  api(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** Console errors, exceptions, failed requests and breaches of the policy since the last call; forgets them. */
  complaints(): string[];
  close(): Promise<void>;
};

/** A fresh browser profile at `url`. */
export async function openVisitor(browser: Browser, url: string, look: Look = LOOKS[0]!): Promise<Visitor> {
  const context = await contextOf(browser, url, look);
  const page = await context.newPage();
  const noted: string[] = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    const path = message.location().url.replace(url, '');
    noted.push(`${message.text()} [${path}]`);
  });
  page.on('pageerror', (error) => noted.push(error.message));
  page.on('requestfailed', (request) => {
    // A live stream ends with its page; every other request has to succeed unless its page was left.
    const reason = request.failure()?.errorText ?? 'failed';
    if (!request.url().includes('/stream') && reason !== 'net::ERR_ABORTED') noted.push(`${request.url()} ${reason}`);
  });
  await page.addInitScript(TELL_BREACHES);
  return {
    page,
    go: async (path) => {
      await page.goto(url + path, { waitUntil: 'load' });
    },
    async signIn(login, password) {
      await page.goto(`${url}/sign-in`);
      await page.fill('#login', login);
      await page.fill('#password', password);
      await page.locator('main button.primary').click();
      await page.locator('.person-name', { hasText: login }).first().waitFor({ state: 'attached' });
    },
    async api(method, path, body) {
      const token = JSON.parse((await page.locator('body').getAttribute('hx-headers')) ?? '{}');
      const init = { method, headers: { ...token, ...JSON_TYPE }, data: body === undefined ? undefined : body };
      const response = await context.request.fetch(url + path, init);
      const text = await response.text();
      return { status: response.status(), body: text === '' ? null : JSON.parse(text) };
    },
    complaints: () => noted.splice(0),
    close: () => context.close(),
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
