/** The series stores of the outage: how they are kept away from the box, brought back, and looked into afterwards. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import { startQuestdb } from '../../setup/questdb.ts';

export type StoredRows = { rows: number; instants: number };
export type OutageStore = {
  /** What tells the box where it is. */
  settings: Record<string, string>;
  /** From now on the box cannot reach it. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** Rows of readings, and instants of series among them, after the box was stopped. */
  count(): Promise<StoredRows>;
  end(): Promise<void>;
};

/** Another process has the file open, so that the box cannot. */
export async function openDuckDbOutage(home: string): Promise<OutageStore> {
  const file = join(home, 'series.duckdb');
  let holder: ChildProcess | null = null;
  const letGo = async () => {
    const gone = holder && once(holder, 'exit');
    holder?.disconnect();
    holder = null;
    await gone;
  };
  return {
    settings: {},
    async goAway() {
      holder = fork(join(import.meta.dirname, 'hold-file.ts'), [file]);
      await once(holder, 'message');
    },
    comeBack: letGo,
    async count() {
      const instance = await DuckDBInstance.create(file, { memory_limit: '1GB' });
      const connection = await instance.connect();
      const sql =
        'select sum(n)::double, count(*)::double from (select series, "at", count(*) as n from reading group by all)';
      const [row] = (await connection.run(sql).then((result) => result.getRows())) as [number, number][];
      connection.closeSync();
      instance.closeSync();
      return { rows: row![0] ?? 0, instants: row![1] };
    },
    end: letGo,
  };
}

/** A way to a port that can be cut and mended. */
async function openWay(to_port: number): Promise<{ port: number; cut(): void; mend(): void; close(): void }> {
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((near) => {
    if (!open) return near.destroy();
    const far = connect(to_port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    open = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend() {
      open = true;
    },
    close() {
      cut();
      server.close();
    },
  };
}

/** The box reaches the server over a way that is cut. */
export async function openQuestDbOutage(): Promise<OutageStore> {
  const server = await startQuestdb();
  const ways = [await openWay(server.http_port), await openWay(server.pg_port)] as const;
  const settings = { LUNA_SERIES: `questdb://127.0.0.1:${ways[0].port}?pg=${ways[1].port}` };
  return {
    settings,
    async goAway() {
      for (const way of ways) way.cut();
    },
    async comeBack() {
      for (const way of ways) way.mend();
    },
    async count() {
      const client = new pg.Client({
        ...{ host: '127.0.0.1', port: server.pg_port, user: 'admin', password: 'quest', database: 'qdb' },
      });
      await client.connect();
      const { rows } = await client.query('select count() as n from luna_reading');
      await client.end();
      // Its rows are unique by series and instant; a second one is stored in place of the first.
      const n = Number((rows[0] as { n: string }).n);
      return { rows: n, instants: n };
    },
    async end() {
      for (const way of ways) way.close();
      await server.stop();
    },
  };
}
