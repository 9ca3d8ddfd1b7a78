/** `luna tariff` and `luna bill`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../../gateway/commands.ts';
import type { Services } from '../../gateway/services.ts';
import { checkTariffFile } from '../../gateway/tariff-commands.ts';
import { simpleTariffs } from '../setup/simple-tariffs.ts';
import { sampleBills } from '../web/sample-bills.ts';

const NOW = Date.parse('2026-06-17T12:00Z');
const saved: unknown[] = [];
const price = { kind: 'fixed', per_kWh: 0.3, vat_percent: 19 } as const;
const services = {
  site: { tenants: () => ['default'] },
  tariffs: {
    ...simpleTariffs(() => ({ energy_price: price, currency: 'EUR', time_zone: 'Europe/Berlin' })),
    save: async (_: unknown, valid_from: string, yaml: string) => void saved.push([valid_from, yaml]),
  },
  bills: sampleBills({ now: () => NOW }),
} as unknown as Services;
const run = (name: string, args: Record<string, unknown> = {}) => runCommand(services, { name, args });
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luna-tariff-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it('checks a file by line without any box, and says so by its exit status', async () => {
  const file = join(dir, 'wrong.yaml');
  await writeFile(file, 'name: T\ncurrency: EUR\ntime_zone: Europe/Berlin\nvat_percent: 19\nenergy:\n  - name: A\n');
  const { text, exit } = await checkTariffFile(file);
  expect([exit, text]).toEqual([
    1,
    `${file} line 6: energy[1] has no price.\n  Give it one of price_per_kWh, periods, price_by_month, market.`,
  ]);
  expect(await checkTariffFile('tariffs/no-tiers.yaml')).toMatchObject({ exit: 0 });
  await expect(checkTariffFile(join(dir, 'none.yaml'))).rejects.toThrow('There is no file');
});

it('shows and saves versions', async () => {
  expect((await run('tariff show')).text).toContain('# from 1970-01-01 (holds now)\nname: Energy price');
  await run('tariff save', { valid_from: '2026-07-01', file: 'tariffs/flat.yaml' });
  expect(saved).toMatchObject([['2026-07-01', expect.stringContaining('name: Flat')]]);
});

it('prints the bill of a month, and what is missing of it', async () => {
  const { text, json } = await run('bill', { month: '2026-05' });
  expect(text).toMatch(/^Arbeitspreis +3097\.23 EUR$/m);
  expect(text).toMatch(/^Total +11880\.77 EUR$/m);
  expect(text).toContain('12 slots have no reading (import); they are left out.');
  expect(json).toMatchObject({ month: '2026-05', total: 11_880.77, complete: false });
  expect((await run('bill', { month: '2026-05', csv: true })).text).toMatch(/^line,kind,name/);
});
