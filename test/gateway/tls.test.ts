import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';
import { loadCertificate } from '../../gateway/tls.ts';

const NOW_MS = Date.UTC(2026, 0, 15);

describe('certificates', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'luna-tls-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('gives none where TLS is off', async () => {
    expect(await loadCertificate(loadConfig({ LUNA_HOME: home }), NOW_MS)).toBeNull();
  });

  it('makes one for this host, keeps it, and makes a new one before it ends', async () => {
    const config = loadConfig({ LUNA_HOME: home, LUNA_TLS: 'self-made' });
    const first = await loadCertificate(config, NOW_MS);
    const x509 = new X509Certificate(first?.cert ?? '');
    expect(x509.subjectAltName).toContain('DNS:localhost');
    expect(Date.parse(x509.validTo)).toBeGreaterThan(NOW_MS + 800 * 86_400_000);
    expect(await loadCertificate(config, NOW_MS + 86_400_000)).toEqual(first);
    expect(await loadCertificate(config, NOW_MS + 810 * 86_400_000)).not.toEqual(first);
  });

  it('reads the files of the owner, and says which one cannot be read', async () => {
    const own = {
      LUNA_HOME: home,
      LUNA_TLS: 'files',
      LUNA_TLS_CERT: join(home, 'own.pem'),
      LUNA_TLS_KEY: join(home, 'own.key'),
    };
    expect(() => loadConfig(own)).toThrow(/own\.pem[\s\S]*own\.key/);
    writeFileSync(own.LUNA_TLS_CERT, 'certificate');
    writeFileSync(own.LUNA_TLS_KEY, 'key');
    const config = loadConfig(own);
    expect(await loadCertificate(config, NOW_MS)).toEqual({ cert: 'certificate', key: 'key' });
    rmSync(own.LUNA_TLS_KEY);
    await expect(loadCertificate(config, NOW_MS)).rejects.toThrow(/tls_key: .*own\.key cannot be read/);
  });
});
