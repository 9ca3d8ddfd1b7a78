/** Policies that were shipped before decide as they did then, bit for bit. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../engine/random.ts';
import type { Policy } from '../../recommender/bandit/port.ts';
import { livePolicyOf } from '../../recommender/live.ts';

/** A month of decisions and answers, as a digest of everything that was logged. */
function digestOf(policy: Policy): string {
  const random = createRandom(11);
  const hash = createHash('sha256');
  for (let round = 0; round < 120; round++) {
    const features = [1, ...Array.from({ length: 5 }, () => 2 * random() - 1)];
    const candidates = Array.from({ length: 9 }, (_, i) => ({
      ...{ id: `a${i}`, arm: `kind ${i % 6}`, features: Array.from({ length: 5 }, random), rule_score: random() },
    }));
    const asked = { site: `s${round % 2}`, features, slate: 3, at_ms: round * 6 * 3_600_000 };
    const { positions } = policy.decide(asked, candidates, random);
    hash.update(JSON.stringify(positions));
    for (const { chosen } of positions.slice(0, 2)) {
      const { arm, features: own, rule_score } = candidates.find(({ id }) => id === chosen)!;
      const reward = random() < 0.4 ? 0.5 + 0.4 * random() : 0;
      policy.update([
        { site: asked.site, context: features, arm, features: own, rule_score, reward, at_ms: asked.at_ms },
      ]);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** Digests of the releases themselves, taken before their parameters changed. */
const SHIPPED = {
  'cautious-0.7(hybrid-ucb/2)': '49b562f072bb32f2',
  'cautious-0.7(linucb/2)': '58ee73406c962b50',
  'cautious-0.7(thompson/2)': '58ee73406c962b50',
};

describe('a policy that was shipped before', () => {
  for (const [version, digest] of Object.entries(SHIPPED))
    it(`${version} decides as it did`, () => {
      expect(digestOf(livePolicyOf(version)!.policy)).toBe(digest);
    });

  it('that no release had is not known', () => {
    expect(livePolicyOf('cautious-0.7(nonsense/1)')).toBeNull();
  });
});
