/** What stands in the way of backups, told to the organisation that the box belongs to until it is over. */
import { type FaultKind, faultKindOf } from '../backup/faults.ts';
import type { AlertService, Base } from '../services.ts';

/** The organisation that the set-up made: the box is its, and so are its backups. */
export const OWNER = 'default';

/** A new backup, the copies that continue the last one, and the folder itself: one may work while another does not. */
export type FaultPart = 'backup' | 'copies' | 'folder';
export type BackupFault = { at_ms: number; kind: FaultKind; text: string };

export type BackupFaults = {
  /** What matters most of what is wrong now. */
  first(): BackupFault | null;
  set(part: FaultPart, error: Error): Promise<void>;
  over(...parts: readonly FaultPart[]): Promise<void>;
  stale(since_ms: number | null): Promise<void>;
};

export function createBackupFaults({
  alerts,
  clock,
}: { alerts: Pick<AlertService, 'raise' | 'clear'> } & Pick<Base, 'clock'>): BackupFaults {
  const faults = new Map<FaultPart, BackupFault>();
  /** What people were told last of each; empty: that it is over. */
  const told = new Map<string, string>();

  async function tell(kind: 'backup_failed' | 'backup_stale', object: string, fault: Partial<BackupFault> | null) {
    const now = fault && (fault.text ?? 'so');
    if ((told.get(`${kind} ${object}`) ?? null) === now && told.has(`${kind} ${object}`)) return;
    await (fault
      ? alerts.raise(OWNER, kind, object, 'fault', { since_ms: fault.at_ms, problem: fault.text, fault: fault.kind })
      : alerts.clear(OWNER, kind, object));
    told.set(`${kind} ${object}`, now as string);
  }

  return {
    first: () => faults.get('backup') ?? faults.get('folder') ?? faults.get('copies') ?? null,
    async set(part, error) {
      const text = [error.message, (error as { remedy?: string }).remedy].filter(Boolean).join(' ');
      const fault = { at_ms: faults.get(part)?.at_ms ?? clock.now(), kind: faultKindOf(error), text };
      faults.set(part, fault);
      await tell('backup_failed', part, fault);
    },
    async over(...parts) {
      for (const part of parts) {
        faults.delete(part);
        await tell('backup_failed', part, null);
      }
    },
    stale: (since_ms) =>
      tell('backup_stale', 'backup', since_ms === null ? null : { at_ms: since_ms, text: 'too old' }),
  };
}
