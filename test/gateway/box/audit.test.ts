/** `luna audit verify` against a running box, and against its home when it does not run. */
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Box, startBox } from '../../setup/box.ts';

type Failure = Error & { code: number; stdout: string };

let box: Box;
beforeAll(async () => {
  box = await startBox({ LUNA_PRICE_SOURCES: '' });
  for (const login of ['anna', 'bert', 'cleo']) await box.luna('user', 'add', login);
}, 90_000);
afterAll(() => box?.remove());

const verify = (...args: string[]) =>
  box.luna('audit', 'verify', ...args).then(
    (text) => ({ code: 0, text }),
    ({ code, stdout }: Failure) => ({ code, text: stdout }),
  );

describe('luna audit verify', () => {
  it('says that all is well, names the first wrong entry after tampering, and ends with status 1 then', async () => {
    expect(await verify()).toEqual({
      code: 0,
      text: 'default: 3 entries, complete and unchanged, signed up to entry 3.\n',
    });
    const client = new pg.Client({ host: join(box.home, 'postgres'), port: 5432, user: 'postgres', database: 'luna' });
    await client.connect();
    await client.query(`update luna.audit set object = 'eve' where id = 2`);
    await client.end();
    const found = await verify('--tenant', 'default');
    expect(found).toEqual({ code: 1, text: expect.stringMatching(/^default: Entry 2 \(.*add person eve\) is not as/) });
    expect(await verify('--tenant', 'nobody')).toMatchObject({ code: 1, text: '' });
    await box.stop();
    const { code, text } = await verify('--json');
    expect([code, JSON.parse(text).tenants[0].fault.entry]).toEqual([1, 2]);
  }, 60_000);
});
