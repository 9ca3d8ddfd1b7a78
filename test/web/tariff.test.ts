/** The pages of tariff and bill: who may do what, and what stands beside what is wrong. */
import { describe, expect, it } from 'vitest';
import type { Services } from '../../gateway/services.ts';
import { CSRF, createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';

type Saved = { valid_from: string; yaml: string };

function open(role: 'admin' | 'user' = 'admin') {
  const saved: Saved[] = [];
  const full = createSampleServices();
  const tariffs: Services['tariffs'] = {
    ...full.tariffs,
    save: async (_, valid_from, yaml) => void saved.push({ valid_from, yaml }),
  };
  const app = createSampleApp(createSampleServices({ replace: { tariffs } }), { role });
  const text = async (answer: Response) => (await answer.text()).replaceAll('\u00a0', ' ');
  return {
    saved,
    get: async (path: string) => text(await app.request(path)),
    async send(fields: Record<string, string>) {
      const body = new URLSearchParams({ _csrf: CSRF, ...fields });
      const answer = await app.request('/tariff', { method: 'POST', body });
      return { status: answer.status, to: answer.headers.get('location'), text: await text(answer) };
    },
  };
}

const GOOD =
  'name: Flat\ncurrency: EUR\ntime_zone: Europe/Berlin\nvat_percent: 19\nenergy:\n  - name: E\n    price_per_kWh: 0.3\n';

describe('the page of the tariff', () => {
  it('names every fault with its line, keeps what was typed, and saves nothing', async () => {
    const { send, saved } = open();
    const yaml = GOOD.replace('price_per_kWh', 'price_kWh').replace('EUR', 'EURO');
    const answer = await send({ valid_from: '2026-07-01', yaml, act: 'save' });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('<b>Line 7</b>: there is no key &quot;price_kWh&quot; in energy[1].');
    expect(answer.text).toContain('price_kWh: 0.3');
    expect(answer.text).toContain('value="2026-07-01"');
    expect(saved).toEqual([]);
  });

  it('checks without saving and says what past months become; saves when asked to', async () => {
    const { send, saved } = open();
    const checked = await send({ valid_from: '2026-05-01', yaml: GOOD, act: 'check' });
    expect([checked.status, saved]).toEqual([200, []]);
    expect(checked.text).toMatch(/May 2026<\/th>.*412\.30.*398\.12.*−14\.18/s);
    expect(checked.text).toContain('What a kWh costs tomorrow');
    const kept = await send({ valid_from: '2026-05-01', yaml: GOOD.replaceAll('\n', '\r\n'), act: 'save' });
    expect([kept.status, kept.to]).toEqual([303, '/tariff?from=2026-05-01&saved']);
    expect(saved).toEqual([{ valid_from: '2026-05-01', yaml: GOOD }]);
  });

  it('shows the tariff to everybody and lets admins alone change it', async () => {
    const { get, send, saved } = open('user');
    const page = await get('/tariff');
    expect(page).toContain('<pre class="yaml"');
    expect(page).not.toContain('<textarea');
    expect((await send({ valid_from: '2026-05-01', yaml: GOOD, act: 'save' })).status).toBe(403);
    expect(saved).toEqual([]);
  });

  it('begins a new version with an example', async () => {
    const page = await open().get('/tariff?from=new&example=no-tiers');
    expect(page).toContain('name: Spotpris med effekttrinn');
    expect(page).toContain('value="2026-06-17"');
  });
});

describe('the page of a bill', () => {
  it('has items that add up, says what is missing, and leads to the slots behind an item', async () => {
    const { get } = open();
    const page = await get('/bill?month=2026-05');
    expect(page).toContain('12 quarter-hours have no reading. They are left out, not counted as 0:');
    const cells = [...page.matchAll(/<tr><th[^>]*>.*?<td class="numbers">([\d,.]+)<\/td><\/tr>/g)];
    const amounts = cells.map(([, text]) => Math.round(Number(text!.replaceAll(',', '')) * 100));
    const total = /class="total".*?<td class="numbers">([\d,.]+)/s.exec(page)![1]!;
    expect(amounts.length).toBeGreaterThan(7);
    expect(amounts.reduce((sum, cents) => sum + cents, 0)).toBe(Math.round(Number(total.replaceAll(',', '')) * 100));
    expect(page).toContain('href="/bill/line?month=2026-05&amp;line=1"');
    expect(await get('/bill/line?month=2026-05&line=1')).toContain('Fri 1 May 00:00');
  });

  it('of a month to come has words instead', async () => {
    const page = await open().get('/bill?month=2026-13');
    expect(page).toContain('is no month');
  });
});
