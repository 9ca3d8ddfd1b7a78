import { describe, expect, it } from 'vitest';
import type { Services } from '../../gateway/services.ts';
import { CSRF, createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';
import { POINTS, SAMPLE_NOW_MS, SITE } from './sample-site.ts';
import { fixedServices, morningServices, troubledServices, VARIANTS, youngServices } from './sample-variants.ts';

const PAGES = [
  '/',
  '/meters',
  '/meters/grid',
  '/meters/hall-2',
  '/meters/rest',
  '/prices',
  '/tariff',
  '/tariff?from=new&example=no-tiers',
  '/bill',
  '/bill?month=2026-06',
  '/bill?month=2027-01',
  '/bill/line?month=2026-05&line=1',
  '/bill/line?month=2026-05&line=7',
  '/bill/line?month=2026-05&line=9',
  '/forecasts',
  '/forecasts?series=price',
];
const HOSTILE = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`;

/** Text of a page with no-break spaces as spaces. */
async function page(services: Services, path: string, headers: Record<string, string> = {}) {
  const answer = await createSampleApp(services).request(path, { headers });
  return { status: answer.status, headers: answer.headers, text: (await answer.text()).replaceAll('\u00a0', ' ') };
}

/** What stands between the tags. */
const visible = (text: string) => text.replace(/<[^>]*>/g, ' ');

describe.each(['en', 'de'])('pages in %s', (language) => {
  it.each(PAGES)('%s is whole and holds nothing inline', async (path) => {
    const { status, headers, text } = await page(createSampleServices(), path, { cookie: `luna_language=${language}` });
    expect(status).toBe(200);
    expect(text).toContain(`<html lang="${language}"`);
    expect(text).not.toMatch(/<[^>]+\sstyle\s*=|<style|<script(?![^>]+src=)|<[^>]+\son[a-z]+\s*=/i);
    expect(visible(text)).not.toMatch(/undefined|NaN|\[object|\{[a-z_]+[|}]/i);
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
  });
});

describe.each(Object.keys(VARIANTS))('the building in the state %s', (variant) => {
  it.each(['/', '/meters', '/prices', '/forecasts', '/forecasts?series=generation'])('%s is whole', async (path) => {
    const { status, text } = await page(VARIANTS[variant]!(), path);
    expect(status).toBe(200);
    expect(visible(text)).not.toMatch(/undefined|NaN|\[object/);
  });
});

describe('hostile names', () => {
  const full = createSampleServices();
  const points = POINTS.map((point) => ({ ...point, name: HOSTILE }));
  const services = createSampleServices({
    replace: {
      meters: { ...full.meters, list: () => points, get: (_, id) => points.find((point) => point.id === id) ?? null },
      site: { ...full.site, get: () => ({ ...SITE, name: HOSTILE, place: HOSTILE }) },
      live: { ...full.live, last_ms: () => null },
      devices: {
        ...full.devices,
        get: (tenant, id) => ({ ...full.devices.get(tenant, id)!, name: HOSTILE, firmware: HOSTILE }),
        state: () => ({
          connected: false,
          last_seen_ms: null,
          last_error: { at_ms: SAMPLE_NOW_MS - 60_000, text: HOSTILE },
        }),
      },
    },
  });
  it.each(['/', '/meters', '/meters/grid', '/prices', '/forecasts'])('are text on %s', async (path) => {
    const { status, text } = await page(services, path);
    expect(status).toBe(200);
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img src=x');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });
});

describe('Now', () => {
  it('says what is used, against the forecast, and what the price does', async () => {
    const { text } = await page(createSampleServices(), '/');
    expect(text).toMatch(
      /Using <b>\d+ kW<\/b>, (\d+ % (above|below) the forecast|as forecast); cheap power until 17:30\./,
    );
    expect(text).toContain('1 meter needs attention: Hall 2');
    expect(text).toContain('failing since 12:06: The device at 192.168.1.20:502 refuses the connection.');
  });
  it('compares today with the same hours of the same weekday', async () => {
    const { text } = await page(createSampleServices(), '/');
    expect(text).toMatch(/€\d+ on a usual Wednesday until 13:40/);
  });
  it('says how far the history is when there is no forecast', async () => {
    const { text } = await page(youngServices(), '/');
    expect(text).toContain('it needs about 7 days of readings and has 2');
    expect(text).toContain('No prices for this period yet.');
  });
  it('says of a store that is down that nothing is lost, and still comes with the live values', async () => {
    const { text } = await page(troubledServices(), '/');
    expect(text).toContain('This cannot be read right now. Nothing is lost');
    expect(text).toMatch(/Using <b>\d+ kW<\/b>/);
    expect(text).toContain('Prices are stale since yesterday 07:40');
  });
  it('offers the first step to an admin and says to others who can do it', async () => {
    const services = VARIANTS.empty!();
    expect((await page(services, '/')).text).toContain('href="/meters/new"');
    const answer = await createSampleApp(services, { role: 'user' }).request('/');
    const text = await answer.text();
    expect(text).not.toContain('href="/meters/new"');
    expect(text).toContain('An admin of this box can add the first meter.');
  });
});

describe('Prices', () => {
  it('says when tomorrow comes', async () => {
    const { text } = await page(morningServices(), '/prices');
    expect(text).toContain('Tomorrow is not published yet. Prices come at about 13:00; the next attempt is at 09:20.');
  });
  it('names the windows and what is negative', async () => {
    const { text } = await page(createSampleServices(), '/prices');
    expect(text).toContain('<b>13:30–16:30 at 18.5 ct/kWh on average</b>');
    expect(text).toMatch(/The market price is below zero \d\d:\d\d–\d\d:\d\d\./);
  });
  it('has one sentence for a fixed price', async () => {
    expect((await page(fixedServices(), '/prices')).text).toContain('<b>29.2 ct/kWh</b> at any time');
  });
});

describe('who may see and do what', () => {
  const app = (options = {}) => createSampleApp(createSampleServices(), options);
  const post = (path: string, form: Record<string, string>, options = {}) =>
    app(options).request(path, { method: 'POST', body: new URLSearchParams(form) });

  it.each([...PAGES, '/stream?page=now'])('%s leads strangers to sign in and back', async (path) => {
    const answer = await app({ signed_in: false }).request(path);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`/sign-in?next=${encodeURIComponent(path)}`);
  });
  it('tells htmx to leave the page when the session is over', async () => {
    const answer = await app({ signed_in: false }).request('/meters', { headers: { 'hx-request': 'true' } });
    expect(answer.headers.get('hx-redirect')).toBe('/sign-in?next=%2Fmeters');
  });
  it('refuses forms without the token of the session', async () => {
    const form = { decision: 'decision-1', action: 'charge-now', outcome: 'accepted' };
    expect((await post('/now/advice', form)).status).toBe(403);
    expect((await post('/now/advice', { ...form, _csrf: 'guess' })).status).toBe(403);
    expect((await post('/now/advice', { ...form, _csrf: CSRF })).status).toBe(303);
  });
  it('refuses an answer that is none', async () => {
    expect((await post('/now/advice', { _csrf: CSRF, decision: 'd', action: 'a', outcome: 'maybe' })).status).toBe(400);
  });
  it('lets only admins ask the price sources', async () => {
    expect((await post('/prices/refresh', { _csrf: CSRF }, { role: 'user' })).status).toBe(403);
    expect((await post('/prices/refresh', { _csrf: CSRF })).status).toBe(303);
  });
  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/a\r\nb'])(
    'comes back from a preference to a page of ours, not to %s',
    async (target) => {
      expect((await post('/preferences', { theme: 'dark', return: target })).headers.get('location')).toBe('/');
    },
  );
  it('keeps a preference', async () => {
    const answer = await post('/preferences', { language: 'de', return: '/prices?x=1' });
    expect(answer.headers.get('location')).toBe('/prices?x=1');
    expect(answer.headers.get('set-cookie')).toMatch(/luna_language=de;.*HttpOnly/);
  });
});

describe('what is not there', () => {
  it.each(['/nope', '/meters/unknown', '/meters/%3Cscript%3E', '/static/x/../../package.json', '/static/0/nope.js'])(
    '%s is a page with a way back',
    async (path) => {
      const { status, text } = await page(createSampleServices(), path);
      expect(status).toBe(404);
      expect(text).toContain('There is no such page');
      expect(text).toContain('href="/"');
    },
  );
});
