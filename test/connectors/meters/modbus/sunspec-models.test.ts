import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SUNSPEC_MODELS, type SunSpecPoint } from '../../../../connectors/meters/modbus/sunspec-models.ts';

type Point = { name: string; type: string; size: number; sf?: string | number };
type Group = { points: Point[]; groups?: Group[] };

const archive = join(process.env.LUNA_BENCH_DATA ?? '', 'devices/sunspec_models/sunspec_models_json.tar.gz');

/** Offsets of a group's points, as SunSpec's own files give them. */
function offsets(group: Group, from = 0): Map<string, Point & { offset: number }> {
  let offset = from;
  return new Map(
    group.points.map((point) => {
      const placed = { ...point, offset };
      offset += point.size;
      return [point.name, placed];
    }),
  );
}

describe.skipIf(!existsSync(archive))("our points against SunSpec's own model files (LUNA_BENCH_DATA)", () => {
  const folder = mkdtempSync(join(tmpdir(), 'luna-sunspec-'));
  if (existsSync(archive)) spawnSync('tar', ['xzf', archive, '-C', folder]);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function check(
    ours: Readonly<Record<string, SunSpecPoint>>,
    theirs: ReturnType<typeof offsets>,
    head: ReturnType<typeof offsets>,
  ): void {
    for (const [name, point] of Object.entries(ours)) {
      const real = theirs.get(name);
      expect({ name, offset: point.offset, type: point.type }).toEqual({
        name,
        offset: real?.offset,
        type: real?.type,
      });
      expect(point.sf, name).toBe(typeof real?.sf === 'string' ? head.get(real.sf)?.offset : undefined);
      expect(point.length ?? real?.size, name).toBe(real?.size);
    }
  }

  it.each(Object.entries(SUNSPEC_MODELS))('model %s', (id, model) => {
    const { group } = JSON.parse(readFileSync(join(folder, `model_${id}.json`), 'utf8')) as { group: Group };
    const head = offsets(group);
    check(model.points, head, head);
    const [block] = group.groups ?? [];
    if (!model.module) return;
    expect(model.module.first).toBe(group.points.reduce((sum, point) => sum + point.size, 0));
    expect(model.module.length).toBe(block?.points.reduce((sum, point) => sum + point.size, 0));
    check(model.module.points, offsets(block!), head);
  });
});
