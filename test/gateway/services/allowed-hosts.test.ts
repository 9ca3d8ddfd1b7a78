import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotAllowedError, NotFoundError } from '../../../engine/errors.ts';
import { ConfigSchema } from '../../../gateway/config.ts';
import { createAllowedHosts } from '../../../gateway/services/allowed-hosts.ts';
import { createAuditService } from '../../../gateway/services/audit.ts';
import { createSiteService } from '../../../gateway/services/site.ts';
import type { Actor } from '../../../gateway/services.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';

const admin: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
const strangers: Actor[] = [
  { ...admin, tenant: 'other' },
  { ...admin, role: 'analyst' },
];

describe('hosts that the box may ask', () => {
  let test: TestDatabase;
  const open = async () => {
    const config = ConfigSchema.parse({ home: test.home, allowed_hosts: 'prices.local' });
    const hosts = createAllowedHosts({ db: test.db, config, clock: { now: () => 1000 } });
    await hosts.start();
    return hosts;
  };
  beforeAll(async () => {
    test = await openTestDatabase();
    await createSiteService({ db: test.db }).start();
  });
  afterAll(() => test.close());

  it('come from the configuration and from admins, over a restart too, each in the audit log', async () => {
    const hosts = await open();
    await hosts.allow(admin, ' Mail.Local ');
    await hosts.allow(admin, '10.0.0.5:8025');
    await hosts.allow(admin, 'mail.local');
    await hosts.allow(admin, '[fd00::5]:25');
    await hosts.remove(admin, '[fd00::5]:25');
    expect((await open()).entries()).toEqual(['prices.local', 'mail.local', '10.0.0.5:8025']);
    expect((await open()).list(admin).allowed[0]).toEqual({ host: 'mail.local', by: 'anna', at_ms: 1000 });
    const acts = (await createAuditService({ db: test.db }).list('default', { limit: 9 })).map(
      ({ act, object }) => `${act} ${object}`,
    );
    expect(acts).toEqual([
      'disallow host [fd00::5]:25',
      'allow host [fd00::5]:25',
      'allow host 10.0.0.5:8025',
      'allow host mail.local',
    ]);
  });

  it.each(strangers)('are not for $role of $tenant', async (stranger) => {
    const hosts = await open();
    expect(() => hosts.list(stranger)).toThrow(NotAllowedError);
    await expect(hosts.allow(stranger, 'x.local')).rejects.toThrow(NotAllowedError);
    await expect(hosts.remove(stranger, 'mail.local')).rejects.toThrow(NotAllowedError);
    expect((await open()).entries()).not.toContain('x.local');
  });

  it.each([
    '',
    ' ',
    'http://mail.local',
    'mail.local/x',
    '10.0.0.0/8',
    '*',
    '300.1.1.1',
    'a b',
    'x:0',
    'x:99999',
    '-a',
  ])('are refused when they are none: "%s"', async (text) => {
    await expect((await open()).allow(admin, text)).rejects.toThrow(/no host/);
  });

  it('cannot be removed when nobody allowed them', async () => {
    await expect((await open()).remove(admin, 'prices.local')).rejects.toThrow(NotFoundError);
  });
});
