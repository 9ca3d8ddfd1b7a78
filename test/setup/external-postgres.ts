/** An external Postgres for tests: a server of its own on loopback TCP with passwords, an owner and an app role. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { postgresAccount } from '../../connectors/database/embedded/account.ts';
import { findBinaries } from '../../connectors/database/embedded/binaries.ts';
import { freePort } from './questdb.ts';

export type ExternalPostgres = {
  /** Folder of the server's data; with `log`, its log files are in `log/` there. */
  data_dir: string;
  /** A fresh database with its roles: URLs of the app role, the owner and the superuser. */
  database(): Promise<{ url: string; owner_url: string; super_url: string }>;
  /** As if the machine behind it were switched off, and on again. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export type ExternalOptions = {
  /** Of the roles; `app` and `owner` where left out. */
  passwords?: { app: string; owner: string };
  /** Writes every statement of app and owner with its parameters into files. */
  log?: boolean;
};

const COLLECT = `logging_collector = on\nlog_directory = 'log'\nlog_file_mode = 0644\nlog_destination = 'stderr'\n`;

export async function startExternalPostgres({
  passwords = { app: 'app', owner: 'owner' },
  log = false,
}: ExternalOptions = {}): Promise<ExternalPostgres> {
  const home = await mkdtemp(join(tmpdir(), 'luna-external-'));
  const dataDir = join(home, 'data');
  const account = await postgresAccount(dataDir);
  const { initdb, postgres } = await findBinaries(account);
  const port = await freePort();
  await mkdir(dataDir, { mode: 0o700 });
  const secret = join(home, 'secret');
  await writeFile(secret, 'super\n', { mode: 0o644 });
  if (account) for (const path of [home, dataDir]) await chown(path, account.uid, account.gid);
  const options = { cwd: dataDir, ...account, stdio: 'ignore', env: { LC_ALL: 'C' } } as const;
  const init = spawn(
    initdb,
    [
      '-D',
      dataDir,
      '-U',
      'root',
      '--auth=scram-sha-256',
      `--pwfile=${secret}`,
      '--no-sync',
      '--encoding=UTF8',
      '--no-locale',
    ],
    options,
  );
  const [code] = await once(init, 'exit');
  if (code !== 0) throw new Error(`initdb ended with ${code}`);
  await appendFile(
    join(dataDir, 'postgresql.conf'),
    `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = ''\nfsync = off\n${log ? COLLECT : ''}`,
  );
  const urlOf = (user: string, password: string, name: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;
  let server: ChildProcess;
  let databases = 0;
  const start = async () => {
    server = spawn(postgres, ['-D', dataDir], options);
    for (let tries = 0; ; tries++) {
      try {
        return await asSuper('postgres', 'select 1');
      } catch (error) {
        if (tries > 200) throw error;
        await new Promise((done) => setTimeout(done, 25));
      }
    }
  };
  const asSuper = async (name: string, ...statements: string[]) => {
    const client = new pg.Client(urlOf('root', 'super', name));
    try {
      await client.connect();
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  await start();
  await asSuper(
    'postgres',
    `create role owner login password '${passwords.owner}'`,
    `create role app login password '${passwords.app}' nosuperuser nobypassrls`,
    ...(log ? ['app', 'owner'].map((role) => `alter role ${role} set log_statement = 'all'`) : []),
  );
  return {
    data_dir: dataDir,
    async database() {
      const name = `luna${databases++}`;
      await asSuper('postgres', `create database ${name} owner owner`);
      return {
        url: urlOf('app', passwords.app, name),
        owner_url: urlOf('owner', passwords.owner, name),
        super_url: urlOf('root', 'super', name),
      };
    },
    kill: () => end('SIGQUIT'),
    restart: () => start(),
    async stop() {
      await end('SIGINT');
      await rm(home, { recursive: true, force: true });
    },
  };
}
