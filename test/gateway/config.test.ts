import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';

describe('loadConfig', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'luna-config-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('has a default for everything but the home', () => {
    const config = loadConfig({ LUNA_HOME: home });
    expect(config).toMatchObject({
      home,
      port: 8080,
      mqtt_port: 1883,
      mqtts_port: 8883,
      database: 'embedded',
      series: 'duckdb',
      tls: 'off',
      demo: false,
    });
  });

  it('lets the environment win over luna.yaml', () => {
    writeFileSync(join(home, 'luna.yaml'), 'port: 9000\nmqtt_port: 1884\n');
    expect(loadConfig({ LUNA_HOME: home, LUNA_PORT: '9001' })).toMatchObject({ port: 9001, mqtt_port: 1884 });
  });

  it('reads lists and flags from the environment', () => {
    const config = loadConfig({ LUNA_HOME: home, LUNA_DEMO: '1', LUNA_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' });
    expect(config.demo).toBe(true);
    expect(config.trusted_proxies).toEqual(['127.0.0.1', '10.0.0.0/8']);
  });

  it('reads a value from the file that LUNA_…_FILE names, and says which one it cannot read', () => {
    const file = join(home, 'database-url');
    writeFileSync(file, 'postgres://app:secret@db/luna\n');
    const config = loadConfig({ LUNA_HOME: home, LUNA_DATABASE_FILE: file, LUNA_SERIES_FILE: '' });
    expect(config).toMatchObject({ database: 'postgres://app:secret@db/luna', series: 'duckdb' });
    expect(() => loadConfig({ LUNA_HOME: home, LUNA_FILES_FILE: '/nowhere' })).toThrow(/LUNA_FILES_FILE: \/nowhere/);
    expect(() => loadConfig({ LUNA_HOME: home, LUNA_NONSENSE_FILE: file })).toThrow(/unknown key nonsense_file/);
  });

  it('takes a bucket for the files, and tells no secret of one that is wrong', () => {
    const files = 's3://key:secret@minio:9000/luna';
    expect(loadConfig({ LUNA_HOME: home, LUNA_FILES: files }).files).toBe(files);
    const wrong = () => loadConfig({ LUNA_HOME: home, LUNA_FILES: 's3://key:secret@minio:9000/' });
    expect(wrong).toThrow(/files: is neither/);
    expect(wrong).not.toThrow(/secret@/);
  });

  it('lists all faults at once and refuses unknown keys', () => {
    writeFileSync(join(home, 'luna.yaml'), 'prot: 9000\n');
    expect(() => loadConfig({ LUNA_HOME: home, LUNA_MQTT_PORT: '99999', LUNA_TLS: 'maybe' })).toThrow(
      /prot[\s\S]*|mqtt_port/,
    );
    try {
      loadConfig({ LUNA_HOME: home, LUNA_MQTT_PORT: '99999', LUNA_TLS: 'maybe' });
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toMatch(/unknown key prot/);
      expect((error as Error).message).toMatch(/mqtt_port/);
      expect((error as Error).message).toMatch(/tls/);
    }
  });

  it('names the file when it is no YAML', () => {
    writeFileSync(join(home, 'luna.yaml'), 'port: [1\n');
    expect(() => loadConfig({ LUNA_HOME: home })).toThrow(/luna\.yaml is no valid YAML/);
  });

  it('wants both files for tls: files', () => {
    expect(() => loadConfig({ LUNA_HOME: home, LUNA_TLS: 'files', LUNA_TLS_CERT: '/x' })).toThrow(/tls_key/);
  });

  const faultsOf = (environment: Record<string, string>): string => {
    try {
      loadConfig({ LUNA_HOME: home, ...environment });
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };

  it.each([
    ['public_url', 'box.local'],
    ['public_url', 'localhost:8080'],
    ['mqtt_url', 'secret@broker'],
    ['database', 'foo'],
    ['database_owner', 'http://secret@db'],
    ['series', 'influx'],
    ['series', 'questdb:'],
    ['trusted_proxies', '127.0.0.1, nonsense'],
    ['trusted_proxies', '10.0.0.0/33'],
    ['provider_urls', '{awattar: not a URL}'],
    ['provider_urls', '{awattar: [}'],
  ])('refuses %s as %s before anything starts, without telling a secret', (key, value) => {
    const text = faultsOf({ [`LUNA_${key.toUpperCase()}`]: value });
    expect(text).toContain(`${key}`);
    expect(text).not.toContain('secret');
  });

  it('lists malformed addresses and missing TLS files together with every other fault', () => {
    const text = faultsOf({
      ...{ LUNA_PUBLIC_URL: 'box.local', LUNA_SERIES: 'influx', LUNA_DATABASE: 'foo', LUNA_PORT: '-1' },
      ...{ LUNA_MQTT_URL: 'broker', LUNA_TRUSTED_PROXIES: 'nonsense', LUNA_PROVIDER_URLS: '{awattar: x}' },
      ...{ LUNA_TLS: 'files', LUNA_TLS_CERT: join(home, 'none.pem') },
    });
    for (const key of ['public_url', 'series', 'database', 'port', 'mqtt_url', 'trusted_proxies', 'provider_urls'])
      expect(text).toContain(`${key}`);
    expect(text).toMatch(/tls_cert: .*none\.pem cannot be read; tls_key: is missing/);
  });

  it('takes every address that is well-formed, and nothing for an empty one', () => {
    const config = loadConfig({
      ...{ LUNA_HOME: home, LUNA_PUBLIC_URL: 'https://energy.example/', LUNA_MQTT_URL: '' },
      ...{ LUNA_SERIES: 'questdb://user:pw@host:9000?pg=8812', LUNA_DATABASE: 'postgres://luna:pw@db:5432/luna' },
      ...{ LUNA_TRUSTED_PROXIES: '::1, fd00::/8', LUNA_PROVIDER_URLS: '{awattar: "http://127.0.0.1:9"}' },
    });
    expect(config).toMatchObject({ public_url: 'https://energy.example', mqtt_url: null });
    expect(config.trusted_proxies).toEqual(['::1', 'fd00::/8']);
  });

  it('leaves the variables of tests and benches alone', () => {
    expect(
      loadConfig({ LUNA_HOME: home, LUNA_TEST_CHROMIUM: '/usr/bin/chromium', LUNA_BENCH_DATA: '/data' }).port,
    ).toBe(8080);
  });
});
