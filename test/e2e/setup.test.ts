import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Box, startBox } from '../setup/box.ts';
import { hasChromium, launchChromium } from '../setup/chromium.ts';
import { axeFaults, LOOKS } from './sample-site.ts';
import { openVisitor, type Visitor } from './visitor.ts';

const PASSWORD = 'nine rivers and a bridge';

describe.skipIf(!hasChromium)('setting up a box in the browser', () => {
  let browser: Browser;
  let box: Box;
  let maria: Visitor;

  beforeAll(async () => {
    [browser, box] = await Promise.all([launchChromium(), startBox()]);
    maria = await openVisitor(browser, box.url);
  });
  afterAll(async () => {
    await browser?.close();
    await box?.remove();
  });

  it('shows nobody anything before, is ready all the same, and says what to do', async () => {
    expect((await fetch(`${box.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${box.url}/api/v1/meters`)).status).toBe(401);
    const { page } = maria;
    await maria.go('/meters');
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    expect(await page.locator('main .notice.warning').textContent()).toContain('not set up yet');
    expect(await axeFaults(page)).toEqual([]);
    expect(maria.complaints()).toEqual([]);
    await maria.go('/setup?token=guessed');
    expect(await page.locator('main').textContent()).toContain('This set-up link does not work');
    expect(maria.complaints()).toEqual([expect.stringMatching(/403.*\/setup/)]);
  });

  it('keeps what was typed when something is wrong, but no password', async () => {
    const { page } = maria;
    await page.goto(box.setup_link!);
    await page.fill('#login', 'maria');
    await page.fill('#password', PASSWORD);
    await page.fill('#password_again', 'nine rivers and a boat');
    await page.fill('#name', 'Mill & Weir');
    await page.fill('#place', 'Freiburg');
    await page.selectOption('#time_zone', 'Europe/Vienna');
    await page.selectOption('#country', 'AT');
    await page.fill('#per_kWh', 'cheap');
    await page.click('button[value=empty]');
    await page.locator('main .notice.fault').waitFor();
    expect(await page.locator('#password_again-error').textContent()).toContain('The two passwords differ.');
    expect(await page.locator('#per_kWh-error').textContent()).toContain('Please give a number.');
    expect(await page.locator('#login').inputValue()).toBe('maria');
    expect(await page.locator('#name').inputValue()).toBe('Mill & Weir');
    expect(await page.locator('#place').inputValue()).toBe('Freiburg');
    expect(await page.locator('#time_zone').inputValue()).toBe('Europe/Vienna');
    expect(await page.locator('#country').inputValue()).toBe('AT');
    expect(await page.locator('#per_kWh').inputValue()).toBe('cheap');
    expect(await page.content()).not.toContain(PASSWORD);
    expect(await axeFaults(page)).toEqual([]);
    expect(maria.complaints()).toEqual([expect.stringMatching(/400.*\/setup/)]);
  });

  it('sets up admin and site at once, and leads to what to do next', async () => {
    const { page } = maria;
    await page.fill('#password', PASSWORD);
    await page.fill('#password_again', PASSWORD);
    await page.fill('#per_kWh', '0.234');
    await page.fill('#vat_percent', '20');
    await page.click('button[value=empty]');
    await page.waitForURL(`${box.url}/`);
    expect(await page.locator('.site').textContent()).toBe('Mill & Weir, Freiburg');
    expect(await page.locator('a[href="/meters/new"]').count()).toBe(1);
    expect(await page.locator('.person-name').first().textContent()).toContain('maria');
    const { body } = await maria.api('GET', '/api/v1/site');
    expect(body).toMatchObject({
      name: 'Mill & Weir',
      time_zone: 'Europe/Vienna',
      country: 'AT',
      energy_price: { kind: 'fixed', per_kWh: 0.234, vat_percent: 20 },
    });
    expect(await axeFaults(page)).toEqual([]);
    expect(maria.complaints()).toEqual([]);
  });

  it('the link is void from then on, for others too and over a restart', async () => {
    const path = new URL(box.setup_link!).pathname + new URL(box.setup_link!).search;
    const stranger = await openVisitor(browser, box.url);
    await stranger.go(path);
    expect(await stranger.page.locator('main').textContent()).toContain('This set-up link does not work');
    const token = new URL(box.setup_link!).searchParams.get('token')!;
    const again = new URLSearchParams({ token, login: 'eve', password: PASSWORD, password_again: PASSWORD });
    const posted = await fetch(`${box.url}/setup`, { method: 'POST', body: again, redirect: 'manual' });
    expect(posted.status).toBe(403);
    expect(stranger.complaints()).toEqual([expect.stringMatching(/403.*\/setup/)]);
    await stranger.close();
    await maria.go(path);
    expect(await maria.page.locator('main').textContent()).not.toContain('Set up your box');
    maria.complaints();
  });

  it('lets nobody in with a wrong password, and in German says so in German', async () => {
    const { page } = maria;
    await maria.go('/');
    await page.locator('form.person button').first().click();
    await page.waitForURL(`${box.url}/sign-in`);
    await maria.go('/prices');
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    expect(maria.complaints()).toEqual([]);

    const ernst = await openVisitor(browser, box.url, { ...LOOKS[1]!, language: 'de' });
    await ernst.go('/prices?day=today');
    expect(await ernst.page.locator('h1').textContent()).toBe('Anmelden');
    await ernst.page.fill('#login', 'maria');
    await ernst.page.fill('#password', 'nine rivers and a boat');
    await ernst.page.locator('main button.primary').click();
    await ernst.page.locator('main .notice.fault').waitFor();
    expect(await ernst.page.locator('main .notice.fault').textContent()).toContain('passen nicht zusammen');
    expect(await ernst.page.locator('#login').inputValue()).toBe('maria');
    expect(ernst.complaints()).toEqual([expect.stringMatching(/401.*\/sign-in/)]);
    await ernst.page.fill('#password', PASSWORD);
    await ernst.page.locator('main button.primary').click();
    await ernst.page.waitForURL(`${box.url}/prices?day=today`);
    expect(await ernst.page.locator('h1').textContent()).toBe('Preise');
    expect(await axeFaults(ernst.page)).toEqual([]);
    expect(ernst.complaints()).toEqual([]);
    await ernst.close();
  });

  it('a restart keeps admin, site and sessions, and prints no link', async () => {
    await maria.signIn('maria', PASSWORD);
    const cookies = await maria.page.context().cookies();
    expect(cookies.find(({ name }) => name === 'luna_session')).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    expect((await box.stop()).status).toBe(0);
    const session = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    box = await box.restart();
    expect(box.start_ms).toBeLessThan(20_000);
    expect(box.setup_link).toBeNull();
    const page = await fetch(box.url, { headers: { cookie: session }, redirect: 'manual' });
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Mill &amp; Weir')]);
  });
});
