/** What every embedding model does: in process, scripted or behind a real server. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Embedder } from '../../engine/ports.ts';

export type EmbedderRig = { embedder: Embedder; close(): Promise<void> };

const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const SHORT = 'The battery is charged at night.';
/** Far more than any small model reads. */
const LONG = `${'The grid operator may curtail controllable loads in its area. '.repeat(150)}`;

export function embedderContract(open: () => Promise<EmbedderRig>): void {
  let rig: EmbedderRig;
  beforeAll(async () => {
    rig = await open();
  }, 120_000);
  afterAll(() => rig?.close());

  it('gives vectors of length 1 in the order of the texts, each as it is alone', async () => {
    const texts = [LONG, SHORT, 'Storage.', 'Der Zähler wird jährlich abgelesen – § 14a EnWG.'];
    const together = await rig.embedder.embed(texts, 'document');
    expect(together).toHaveLength(texts.length);
    for (const [i, vector] of together.entries()) {
      expect(Math.hypot(...vector)).toBeCloseTo(1, 3);
      const [alone] = await rig.embedder.embed([texts[i] as string], 'document');
      expect(cosine(alone as Float32Array, vector)).toBeGreaterThan(0.995);
    }
  }, 120_000);

  it('brings near what says nearly the same', async () => {
    const [asked] = await rig.embedder.embed(['When is the battery charged?'], 'query');
    const [near, far] = await rig.embedder.embed([SHORT, 'Pension funds report to the ministry.'], 'document');
    expect(cosine(asked!, near!)).toBeGreaterThan(cosine(asked!, far!));
  }, 60_000);

  it('has an identity that stays', async () => {
    const identity = await rig.embedder.identity();
    expect(identity).toMatch(/[0-9a-f]{12}/);
    expect(await rig.embedder.identity()).toBe(identity);
  }, 60_000);

  it('takes many texts, and none', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `Meter ${i} counts energy.`);
    const vectors = await rig.embedder.embed(many, 'document');
    expect(new Set(vectors.map(({ length }) => length)).size).toBe(1);
    expect(vectors).toHaveLength(40);
    expect(await rig.embedder.embed([], 'document')).toEqual([]);
  }, 120_000);

  it('stops where nobody waits any more', async () => {
    await expect(rig.embedder.embed([SHORT], 'query', AbortSignal.abort())).rejects.toThrow();
  });
}
