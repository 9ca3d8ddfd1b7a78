/** Why a backup could not be made. Each kind has words of its own in the tables of texts (`backup_fault.…`). */
import { ConfigError, UnavailableError } from '../../engine/errors.ts';

export const FAULT_KINDS = [
  ...(['folder_gone', 'folder_unreachable', 'folder_of_another', 'folder_full', 'folder_readonly'] as const),
  ...(['home_full', 'slow', 'ended', 'passphrase', 'running', 'other'] as const),
];
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Settings or disks that somebody must look after. */
export const misplaced = (kind: FaultKind, message: string, remedy: string): Error =>
  Object.assign(new ConfigError(message, remedy), { kind });

/** What may work another time. */
export const unavailable = (kind: FaultKind, message: string, remedy: string, cause?: unknown): Error =>
  Object.assign(new UnavailableError(message, remedy, { cause }), { kind });

export function faultKindOf(error: unknown): FaultKind {
  const { kind } = error as { kind?: unknown };
  return FAULT_KINDS.find((one) => one === kind) ?? 'other';
}
