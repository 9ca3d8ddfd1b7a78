/** Secrets between the form that made them and the page that shows them: once, to the same session, for minutes. */
import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import type { Clock } from '../../../engine/ports.ts';
import type { Env } from '../api.ts';

export type ShownOnce<Value> = {
  /** @returns the id for the address of the page. */
  keep(c: Context<Env>, value: Value): string;
  /** @returns the value, `gone` for one that was shown before, null where there is no id. */
  take(c: Context<Env>, id: string | undefined): Value | 'gone' | null;
};

const LIFE_MS = 10 * 60_000;
/** More than this are never waiting; the oldest goes. */
const MOST = 100;

export function createShownOnce<Value>(clock: Clock): ShownOnce<Value> {
  const kept = new Map<string, { owner: string; until_ms: number; value: Value }>();
  const ownerOf = (c: Context<Env>) => c.get('session')?.token_sha256 ?? c.get('actor')?.person ?? '';
  return {
    keep(c, value) {
      const now_ms = clock.now();
      for (const [id, { until_ms }] of kept) if (until_ms <= now_ms || kept.size >= MOST) kept.delete(id);
      const id = randomUUID();
      kept.set(id, { owner: ownerOf(c), until_ms: now_ms + LIFE_MS, value });
      return id;
    },
    take(c, id) {
      if (id === undefined) return null;
      const entry = kept.get(id);
      if (!entry || entry.owner !== ownerOf(c) || entry.until_ms <= clock.now()) return 'gone';
      kept.delete(id);
      return entry.value;
    },
  };
}
