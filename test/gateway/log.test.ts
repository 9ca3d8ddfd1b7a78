import { describe, expect, it } from 'vitest';
import { createLog } from '../../gateway/log.ts';

function record(write: (log: ReturnType<typeof createLog>) => void): string {
  let said = '';
  const stream = {
    write(line: string) {
      said += line;
    },
  };
  write(createLog('info', stream));
  return said;
}

describe('createLog', () => {
  it('tells of an error only its kind, words, code, stack and cause, never the connection it carries', () => {
    const client = { connectionParameters: { password: 's3cret' }, _events: { key: 's3cret' }, user: 'luna_app' };
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', client });
    const error = Object.assign(new TypeError('Connection terminated', { cause }), { client });
    const said = record((log) => log.warn({ err: error, part: 'pool' }, 'a connection to the database broke'));
    expect(said).not.toMatch(/s3cret|luna_app|connectionParameters/);
    const { err, part, msg } = JSON.parse(said);
    expect({ part, msg }).toEqual({ part: 'pool', msg: 'a connection to the database broke' });
    expect(Object.keys(err).sort()).toEqual(['cause', 'message', 'stack', 'type']);
    expect(err).toMatchObject({ type: 'TypeError', message: 'Connection terminated' });
    expect(err.cause).toMatchObject({ message: 'read ECONNRESET', code: 'ECONNRESET' });
  });

  it('takes an error as the first argument, too', () => {
    expect(JSON.parse(record((log) => log.error(new Error('down'))))).toMatchObject({ err: { message: 'down' } });
  });

  it('censors fields by the end of their names at any depth', () => {
    const said = record((log) =>
      log.info({ a: { b: [{ entsoe_token: 's3cret', c: { ercot_key: 's3cret', clientSecret: 's3cret' } }] } }, 'x'),
    );
    expect(said).not.toContain('s3cret');
    expect(JSON.parse(said).a.b[0].entsoe_token).toBe('[Redacted]');
  });

  it('tells addresses without user and password, in fields and in the words of errors', () => {
    const said = record((log) => {
      log.info({ mqtt_url: 'mqtt://anna:s3cret@broker:1883', database: 'postgres://u:s3cret@db/luna' }, 'x');
      log.warn({ err: new Error('cannot reach questdb://u:s3cret@host:9000?pg=8812') }, 'x');
    });
    expect(said).not.toContain('s3cret');
    expect(said).toContain('mqtt://***@broker:1883');
    expect(said).toContain('questdb://***@host:9000');
  });

  it('survives an object that holds itself', () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop.self = loop;
    expect(record((log) => log.info({ loop }, 'x'))).toContain('"name":"loop"');
  });
});
