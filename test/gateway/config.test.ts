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

  it('leaves the variables of tests and benches alone', () => {
    expect(
      loadConfig({ LUNA_HOME: home, LUNA_TEST_CHROMIUM: '/usr/bin/chromium', LUNA_BENCH_DATA: '/data' }).port,
    ).toBe(8080);
  });
});
