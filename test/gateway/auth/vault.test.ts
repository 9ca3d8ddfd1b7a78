import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createVault, openVault, vaultKeyFile } from '../../../gateway/auth/vault.ts';

const vault = createVault(randomBytes(32));

describe('secrets at rest', () => {
  it('open again with the same key and context, also when empty or long', () => {
    for (const text of ['', 'hunter2', 'ß→€'.repeat(10_000)]) {
      const sealed = vault.seal(text, 'acme/notify/smtp');
      expect(sealed).not.toContain('hunter2');
      expect(vault.open(sealed, 'acme/notify/smtp')).toBe(text);
    }
  });

  it('never look the same twice', () => {
    expect(vault.seal('x', 'a')).not.toBe(vault.seal('x', 'a'));
  });

  it('do not open for another tenant, with another key, cut, changed or in the clear', () => {
    const sealed = vault.seal('hunter2', 'acme/notify/smtp');
    const flipped = Buffer.from(sealed.slice(8), 'base64url');
    flipped[15]! ^= 1;
    const wrong = [sealed.slice(0, -3), `sealed1.${flipped.toString('base64url')}`, 'hunter2', 'sealed1.', ''];
    for (const text of wrong) expect(() => vault.open(text, 'acme/notify/smtp')).toThrow(/cannot be decrypted/);
    expect(() => vault.open(sealed, 'other/notify/smtp')).toThrow(/key file/);
    expect(() => createVault(randomBytes(32)).open(sealed, 'acme/notify/smtp')).toThrow(/key file/);
  });

  it('use a key file that only the box reads, the same after a restart', async () => {
    const home = await mkdtemp(join(tmpdir(), 'luna-vault-'));
    try {
      const first = await openVault(home);
      expect((await stat(vaultKeyFile(home))).mode & 0o777).toBe(0o600);
      expect((await openVault(home)).open(first.seal('x', 'a'), 'a')).toBe('x');
    } finally {
      await rm(home, { recursive: true });
    }
  });
});

describe('a key file that is damaged', () => {
  it.each([
    ['cut', 'abc'],
    ['empty', ''],
  ])('is not replaced when it is %s: what it opened would be lost', async (_, text) => {
    const home = await mkdtemp(join(tmpdir(), 'luna-vault-'));
    try {
      await writeFile(vaultKeyFile(home), text);
      await expect(openVault(home)).rejects.toThrow(/damaged/);
      expect(await readFile(vaultKeyFile(home), 'utf8')).toBe(text);
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
