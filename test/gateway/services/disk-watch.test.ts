import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createDiskWatch } from '../../../gateway/services/disk-watch.ts';
import { silent } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';

const GB = 2 ** 30;
const config = { home: '/', disk_low_bytes: 2 * GB, disk_full_bytes: GB / 4 };
let watch: ReturnType<typeof createDiskWatch> | null = null;
afterEach(() => watch?.close());

/** Plays free space, one value a look; raises and clears fail while `broken`. */
function start(options: { free: () => number | Error; broken?: () => boolean; tenants?: () => string[] }) {
  const said: string[] = [];
  const say = async (line: string) => {
    if (options.broken?.()) throw new Error('no space left on device');
    said.push(line);
  };
  watch = createDiskWatch({
    ...{ config, clock: Date, log: silent, every_ms: 5, site: { tenants: options.tenants ?? (() => ['default']) } },
    alerts: {
      raise: (tenant, kind, _object, severity) => say(`${tenant} ${kind} ${severity}`),
      clear: (tenant, kind) => say(`${tenant} ${kind} over`),
    },
    freeBytes: async () => {
      const free = options.free();
      if (free instanceof Error) throw free;
      return free;
    },
  });
  watch.start();
  return said;
}

describe('disk watch', () => {
  it('raises low and full once each, and clears them when there is room again', async () => {
    let [free, looks] = [10 * GB, 0];
    const said = start({
      free: () => {
        looks++;
        return free;
      },
    });
    const next = async (bytes: number) => {
      free = bytes;
      // The look that begins after this one has ended.
      const now = looks;
      await until(() => looks >= now + 2, 'two looks at the disk');
      return said.splice(0);
    };
    expect(await next(10 * GB)).toEqual(['default disk_full over', 'default disk_low over']);
    expect(await next(GB)).toEqual(['default disk_full over', 'default disk_low warning']);
    expect(await next(1000)).toEqual(['default disk_full fault', 'default disk_low over']);
    // At the bound it does not come and go.
    expect(await next(GB / 4 + 1)).toEqual([]);
    expect(await next(GB)).toEqual(['default disk_full over', 'default disk_low warning']);
    expect(await next(10 * GB)).toEqual(['default disk_full over', 'default disk_low over']);
  });

  it('tells as soon as it can when the alert itself finds no space, and every tenant', async () => {
    let broken = true;
    let free: number | Error = 0;
    const said = start({ free: () => free, broken: () => broken, tenants: () => ['a', 'b'] });
    await sleep(40);
    expect(said).toEqual([]);
    broken = false;
    await expect
      .poll(() => said, { timeout: 5000 })
      .toEqual(['a disk_full fault', 'a disk_low over', 'b disk_full fault', 'b disk_low over']);
    free = new Error('the disk does not answer');
    await sleep(30);
    free = 100 * GB;
    await expect.poll(() => said.length, { timeout: 5000 }).toBe(8);
  });

  it('knows the free space of a real disk', async () => {
    const said: string[] = [];
    watch = createDiskWatch({
      ...{ config: { home: '/', disk_low_bytes: 2 ** 60, disk_full_bytes: 1 }, clock: Date, log: silent },
      site: { tenants: () => ['default'] },
      alerts: {
        raise: async (_tenant, kind, _object, _severity, detail) => {
          said.push(`${kind} ${Number(detail?.free_bytes) > 0}`);
        },
        clear: async () => {},
      },
    });
    watch.start();
    await expect.poll(() => said, { timeout: 5000 }).toEqual(['disk_low true']);
  });
});
