/** A small piece of each bench about retrieval, on every run of the tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run as runGerman } from './rag-german.bench.ts';
import { run as runScale } from './rag-scale.bench.ts';
import { run as runTenants } from './rag-tenants.bench.ts';

describe('bench rag-tenants', () => {
  it('finds no foreign passage in a sample', async () => {
    const { searches, foreign } = await runTenants({ searches: '600', tenants: '5' }, () => {});
    expect({ searches, foreign }).toEqual({ searches: 600, foreign: 0 });
  });
});

describe('bench rag-german', () => {
  it('finds compounds and everyday words in two laws of its own, and not what they do not hold', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'luna-rag-german-'));
    try {
      // A file with fewer words than this would be refused as none.
      const filling = `## § 9 Schluss\n\n${'Dieses Gesetz tritt am Tage nach der Verkündung in Kraft. '.repeat(6)}\n`;
      const law = '# Messgesetz (MG)\n\n## § 1 Einbau\n\nDer Betreiber baut Messeinrichtungen ein.\n\n';
      writeFileSync(
        join(dir, 'MG.md'),
        `${law}## § 2 Anbindung\n\nMesseinrichtungen für Gas sind anzubinden.\n\n${filling}`,
      );
      const other = '# Netzgesetz (NG)\n\n## § 1 Entgelt\n\nDas Netzentgelt wird reduziert.\n\n';
      writeFileSync(join(dir, 'NG.md'), `${other}${filling}`);
      const asked = [
        { question: 'Was gilt für die Gaszähleranbindung?', document: 'MG', section: '§ 2' },
        { question: 'Wann gibt es eine Netzentgeltreduzierung?', document: 'NG', section: '§ 1' },
        { question: 'Was sagt § 1 MG?', document: 'MG', section: '§ 1' },
      ];
      const questions = join(dir, 'questions.jsonl');
      writeFileSync(questions, asked.map((one) => JSON.stringify(one)).join('\n'));
      const figures = await runGerman({ questions, documents: dir }, () => {});
      expect(figures).toMatchObject({ recall1: 1, recall5: 1, questions: 3 });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe('bench rag-scale', () => {
  it.skipIf(!process.env.LUNA_BENCH_DATA)(
    'keeps, starts and answers in a sample',
    async () => {
      const { chunks, questions, start_s } = await runScale({ chunks: '600', questions: '10' }, () => {});
      expect({ chunks, questions }).toEqual({ chunks: 600, questions: 10 });
      expect(start_s).toBeGreaterThan(0);
    },
    180_000,
  );
});
