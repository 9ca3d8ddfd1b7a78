/** `luna backup` in the running box, and `luna restore`, which runs where none does. */
import { readMigrations } from '../../connectors/database/postgres/migrate.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import type { Config } from '../config.ts';
import type { CommandResult } from '../control.ts';
import type { Actor, Services } from '../services.ts';
import { checkBackup } from './check.ts';
import { findBackup, summaryOf } from './folder.ts';
import { readPassphrase } from './keys.ts';
import { restoreBackup } from './restore.ts';

/** @param args `newFolder` as the command line gives it */
export async function backUp(
  { backups }: Pick<Services, 'backups'>,
  actor: Actor,
  args: Record<string, unknown> = {},
): Promise<CommandResult> {
  const made = await backups.make(actor, { new_folder: args.newFolder === true });
  const { folder, passphrase } = backups.state(actor);
  const lines = [
    `Backup ${made.id} in ${folder}: ${megabytes(made.bytes)} MB, ${made.rows} rows, ${(made.took_ms / 1000).toFixed(1)} s.`,
    ...(passphrase ? [] : [WITHOUT_KEYS]),
    ...(made.database
      ? []
      : ['The database is a Postgres of your own: let its operator back it up (pg_basebackup and WAL archiving).']),
    ...(made.series
      ? []
      : [
          'The series store is a QuestDB of your own: let its operator back it up (CHECKPOINT CREATE, copy, CHECKPOINT RELEASE).',
        ]),
  ];
  return { text: lines.join('\n'), json: { ...made, folder } };
}

const WITHOUT_KEYS =
  'It holds no keys, for there is no backup_passphrase_file: after a restore stored passwords must be entered again.';

/** @param args `from`, `check`, `log`, `until`, `forceAside`, `keys`, `passphraseFile` as the command line gives them */
export async function restore(
  config: Pick<Config, 'home' | 'backup_passphrase_file'>,
  args: Record<string, unknown>,
  progress: (line: string) => void,
): Promise<CommandResult> {
  const file = typeof args.passphraseFile === 'string' ? args.passphraseFile : config.backup_passphrase_file;
  const options = {
    from: String(args.from),
    home: config.home,
    passphrase: file && args.keys !== false ? await readPassphrase(file) : null,
    migrations: readMigrations().map(({ name }) => name),
    without_log: args.log === false,
    until_ms: args.until === undefined ? null : instant(String(args.until)),
    force_aside: args.forceAside === true,
    progress,
  };
  if (args.check === true) {
    const { manifest, rounds, dir } = await checkBackup(await findBackup(options.from, options), options);
    const until = new Date(rounds.at(-1)?.at_ms ?? manifest.made_ms).toISOString();
    const text = `${dir} is whole: ${manifest.entries.length} files, continued ${rounds.length} times, up to ${until}.`;
    return { text, json: { ...summaryOf(manifest), rounds: rounds.length, until } };
  }
  const report = await restoreBackup(options);
  const lines = [
    `Restored ${report.backup} into ${config.home}, up to ${new Date(report.until_ms).toISOString()}.`,
    `${report.tables} tables with ${report.rows} rows are as the backup says; ${report.journal_records} records of the journal follow at the start.`,
    ...(report.audit_entries === null
      ? []
      : [`${report.audit_entries} entries of the audit log are complete and unchanged.`]),
    ...(report.aside ? [`What was in the home lies in ${report.aside} now.`] : []),
    ...report.notes,
  ];
  return { text: lines.join('\n'), json: { ...report } };
}

function instant(text: string): number {
  const at_ms = Date.parse(text);
  if (Number.isNaN(at_ms)) throw new InvalidDataError(`"${text}" is no time.`, 'Write e.g. 2026-03-01T12:00Z.');
  return at_ms;
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
