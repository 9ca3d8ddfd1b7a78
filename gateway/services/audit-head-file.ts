/** LUNA_HOME/audit-heads.jsonl: every signed head, one a line, only ever appended to. It outlives the database. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AuditHead } from '../auth/audit-key.ts';

const HeadSchema = z.object({
  tenant: z.string(),
  id: z.number().int(),
  hash: z.string(),
  at: z.string(),
  key_id: z.string(),
  signature: z.string(),
});

export function auditHeadFile(home: string): string {
  return join(home, 'audit-heads.jsonl');
}

/** A line that a kill cut short is left out; the head it should have held is in the next. */
export async function readHeadFile(home: string): Promise<AuditHead[]> {
  const text = await readFile(auditHeadFile(home), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    try {
      return [HeadSchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

/** Resolves once the heads are on disk. */
export async function appendHeads(home: string, heads: readonly AuditHead[]): Promise<void> {
  if (heads.length === 0) return;
  const file = await open(auditHeadFile(home), 'a', 0o600);
  try {
    // Begins a line of its own, also after one that was cut short.
    await file.appendFile(`\n${heads.map((head) => JSON.stringify(head)).join('\n')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}
