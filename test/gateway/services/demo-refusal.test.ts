import { expect, it } from 'vitest';
import { createDemoService, type DemoServiceDeps } from '../../../gateway/services/demo.ts';
import { silent } from '../../setup/database.ts';

it('does not start beside the site of another organisation, whose prices it would falsify', async () => {
  const touched: string[] = [];
  const site = {
    tenants: () => ['default', 'mill'],
    get: (tenant: string) => (tenant === 'mill' ? { demo: false } : null),
    save: async () => void touched.push('site'),
    remove: async () => void touched.push('site'),
  };
  const prices = {
    useProviderUrls: () => touched.push('urls'),
    forget: async () => void touched.push('prices'),
  };
  const deps = { site, prices, weather: prices, log: silent, clock: { now: () => 0 } } as unknown as DemoServiceDeps;
  const demo = createDemoService(deps);
  const starting = demo.start({ tenant: 'default', person: 'anna', role: 'admin', language: 'en' });
  await expect(starting).rejects.toThrow(/Another organisation has a site/);
  expect(touched).toEqual([]);
  expect(demo.running()).toBe(false);
});
