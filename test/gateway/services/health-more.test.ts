import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { expect, it } from 'vitest';
import { ConfigSchema } from '../../../gateway/config.ts';
import { createBoxVolume } from '../../../gateway/services/box-volume.ts';
import { createPartLatency } from '../../../gateway/services/part-latency.ts';
import { shownConfig } from '../../../gateway/support.ts';
import { certificateState, endOf } from '../../../gateway/tls.ts';

const HOUR_MS = 3_600_000;

it('tells how long a part took to answer, of its newest answers', () => {
  const latency = createPartLatency();
  expect(latency.of('database')).toBeNull();
  for (let n = 0; n < 50; n++) latency.note('database', 9000);
  for (let n = 1; n <= 100; n++) latency.note('database', n);
  expect(latency.of('database')).toEqual({ p50_ms: 51, p95_ms: 96 });
});

it('measures the home, and its growth once an hour has passed', async () => {
  const home = mkdtempSync(join(tmpdir(), 'luna-volume-'));
  let now_ms = 1_000_000;
  const volume = createBoxVolume({ config: { home }, clock: { now: () => now_ms }, log: console } as never);
  try {
    mkdirSync(join(home, 'journal/deep'), { recursive: true });
    writeFileSync(join(home, 'journal/deep/a'), Buffer.alloc(1000));
    writeFileSync(join(home, 'luna.yaml'), Buffer.alloc(10));
    expect(volume.now()).toBeNull();
    await volume.look();
    expect(volume.now()).toMatchObject({
      bytes: 1010,
      growth_per_day: null,
      folders: [
        { name: 'journal', bytes: 1000 },
        { name: 'luna.yaml', bytes: 10 },
      ],
    });
    writeFileSync(join(home, 'journal/b'), Buffer.alloc(2000));
    now_ms += 12 * HOUR_MS;
    await volume.look();
    expect(volume.now()?.growth_per_day).toBe(4000);
    expect(volume.now()?.free_bytes).toBeGreaterThan(0);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

it('says when the certificate ends, two weeks before', async () => {
  const end_ms = Date.UTC(2027, 0, 31, 12);
  const made = await generate([{ name: 'commonName', value: 'x' }], {
    keyType: 'ec',
    notBeforeDate: new Date(end_ms - 30 * 24 * HOUR_MS),
    notAfterDate: new Date(end_ms),
  });
  const certificate = { cert: made.cert, key: made.private };
  expect(endOf(certificate)).toBe(end_ms);
  expect(certificateState(certificate, end_ms - 20 * 24 * HOUR_MS)).toContain('2027-01-31');
  expect(() => certificateState(certificate, end_ms - 13 * 24 * HOUR_MS)).toThrow('ends on 2027-01-31');
  expect(() => certificateState(certificate, end_ms)).toThrow('ended on');
});

it('shows the configuration without anything that opens something', () => {
  const secret = 'sEcReT123456789012345';
  const config = ConfigSchema.parse({
    ...{
      home: '/srv/luna',
      database: `postgres://app:${secret}@db/luna`,
      database_owner: `postgres://o:${secret}@db/luna`,
    },
    ...{
      files: `s3://key:${secret}@minio:9000/luna`,
      series: `questdb://u:${secret}@q:9000?pg=8812`,
      mqtt_url: `mqtt://u:${secret}@b:1883`,
    },
    ...{
      passages: `qdrant://q:6333?api_key=${secret}`,
      entsoe_token: secret,
      tibber_token: secret,
      ercot_user: secret,
      ercot_password: secret,
      ercot_key: secret,
    },
    ...{
      metrics_token: secret,
      database_key: secret,
      provider_urls: { smard: `https://u:${secret}@mirror/${secret}` },
    },
  });
  const text = JSON.stringify(shownConfig(config));
  expect(text).not.toContain(secret);
  expect(text).toContain('postgres://db');
  expect(text).toContain('/srv/luna');
});
