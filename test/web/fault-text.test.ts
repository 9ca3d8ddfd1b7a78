/** Why a device could not be read, in the reader's language. */
import { describe, expect, it } from 'vitest';
import { openHttpSource } from '../../connectors/meters/http/source.ts';
import { openModbusBus } from '../../connectors/meters/modbus/bus.ts';
import type { FaultWords } from '../../engine/errors.ts';
import { faultText } from '../../gateway/http/pages/fault-text.ts';
import { de } from '../../web/i18n/de.ts';
import { en } from '../../web/i18n/en.ts';
import { openNastyServer } from '../connectors/meters/modbus/nasty-server.ts';
import { profiles } from '../gateway/services/device-rig.ts';
import { createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';

type Fault = Error & { remedy?: string; words?: FaultWords };

/** The page of a device that failed with this, in a language. */
async function pageWith({ message, remedy, words }: Fault, language: 'en' | 'de'): Promise<string> {
  const sample = createSampleServices();
  const last_error = { at_ms: sample.clock.now(), text: `${message} ${remedy}`, ...(words ? { words } : {}) };
  const devices = { ...sample.devices, state: () => ({ connected: false, last_seen_ms: null, last_error }) };
  const app = createSampleApp(createSampleServices({ replace: { devices } }));
  return (await app.request('/admin/devices', { headers: { cookie: `luna_language=${language}` } })).text();
}
const failing = (work: Promise<unknown>): Promise<Fault> =>
  work.then(
    () => Promise.reject(new Error('it answered')),
    (error: Fault) => error,
  );

describe('why a device could not be read', () => {
  it('is told in the language of the reader, for a Modbus device that is silent or refuses', async () => {
    const server = await openNastyServer(() => 'silent');
    const tcp = { kind: 'tcp', host: '127.0.0.1', framing: 'tcp' } as const;
    const buses = [server.port, 1].map((port) => openModbusBus({ ...tcp, port }, { timeout_ms: 100 }));
    const [silent, refused] = await Promise.all(buses.map((bus) => failing(bus.read(3, 3, 0, 1))));
    await Promise.all(buses.map((bus) => bus.close()));
    await server.close();
    expect(await pageWith(silent!, 'de')).toContain(`Keine Antwort von 127.0.0.1:${server.port}, Gerät 3.`);
    expect(await pageWith(silent!, 'en')).toContain(`No answer from 127.0.0.1:${server.port} unit 3.`);
    expect(await pageWith(refused!, 'de')).toContain('127.0.0.1 lehnt Verbindungen auf Port 1 ab.');
  });

  it('is told so for a device over HTTP too', async () => {
    const connection = { kind: 'http', url: 'http://127.0.0.1:1', token: null, poll_s: 10 } as const;
    const source = openHttpSource(profiles.full('homewizard-p1'), connection, { clock: Date });
    const fault = await failing(source.read(AbortSignal.timeout(10_000)));
    await source.close();
    expect(await pageWith(fault, 'de')).toMatch(/127\.0\.0\.1:1 ist nicht zu erreichen \(.+\)\. Stimmt die Adresse/);
  });

  it('stays as it was told where it is none of our sentences', () => {
    const t = () => 'never';
    expect(faultText({ text: 'E42 of the meter' }, { t } as never)).toBe('E42 of the meter');
  });

  it('has every sentence in both languages', () => {
    const keys = Object.keys(en).filter((key) => key.startsWith('fault.'));
    expect(keys.length).toBeGreaterThan(10);
    for (const key of keys)
      expect([key, de[key as keyof typeof de] !== en[key as keyof typeof en]]).toEqual([key, true]);
  });
});
