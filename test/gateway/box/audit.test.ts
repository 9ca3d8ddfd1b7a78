/** `luna audit verify` against a running box, and against its home when it does not run. */
import { rm } from 'node:fs/promises';
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

async function alter(statement: string): Promise<void> {
  const client = new pg.Client({ host: join(box.home, 'postgres'), port: 5432, user: 'postgres', database: 'luna' });
  await client.connect();
  await client.query(statement);
  await client.end();
}

describe('luna audit verify', () => {
  it('says that all is well, names the first wrong entry after tampering, and ends with status 1 then', async () => {
    expect(await verify()).toEqual({
      code: 0,
      text: 'default: 3 entries, complete and unchanged, signed up to entry 3.\n',
    });
    await alter(`update luna.audit set object = 'eve' where id = 2`);
    const found = await verify('--tenant', 'default');
    expect(found).toEqual({ code: 1, text: expect.stringMatching(/^default: Entry 2 \(.*add person eve\) is not as/) });
    expect(await verify('--tenant', 'nobody')).toMatchObject({ code: 1, text: '' });
    await alter(`update luna.audit set object = 'bert' where id = 2`);
    await box.stop();
    const { code, text } = await verify('--json');
    expect([code, JSON.parse(text).tenants[0].fault]).toEqual([0, null]);
  }, 60_000);

  it('after the key was lost, says so until accept-key, and afterwards which entries the lost one signed', async () => {
    await rm(join(box.home, 'audit-key'));
    box = await box.restart();
    const lost = await verify();
    expect(lost).toEqual({ code: 1, text: expect.stringMatching(/^default: Entries up to 3 .*luna audit accept-key/) });
    expect(await box.luna('audit', 'accept-key')).toMatch(
      /^default: 4 entries, complete and unchanged, signed up to entry 4\. Entries up to 3 were signed with another key/,
    );
    expect(await verify()).toMatchObject({
      code: 0,
      text: expect.stringMatching(/which command line accepted with entry 4/),
    });
    expect(await box.luna('audit', 'accept-key')).toMatch(/nothing to accept/);
  }, 60_000);
});
