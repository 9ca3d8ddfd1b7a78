/** Between the fields of a connection and the connection itself. */
import type { Connection } from '../../../engine/model/site.ts';
import type { Transport } from '../../../web/components/connection-fields.ts';
import type { FormState } from '../../../web/components/controls.ts';
import type { Ui } from '../../../web/ui.ts';
import type { ProfileSummary } from '../../services.ts';

export const CONNECTION_FIELDS = [
  ...['topic', 'host', 'port', 'unit', 'poll_s', 'framing', 'path', 'baud', 'parity', 'stop_bits', 'url', 'token'],
];

/** What the profile suggests, as text. */
export function defaultsOf(profile: ProfileSummary | null): Record<string, string> {
  const entries = Object.entries(profile?.defaults ?? {}).map(([name, value]) => [name, String(value)]);
  return Object.fromEntries(entries);
}

export function transportOf(profile: ProfileSummary | null, connection: Pick<Connection, 'kind'>): Transport {
  return profile?.transport ?? (connection.kind === 'push' ? 'push' : 'mqtt');
}

/** Fields filled from a stored connection; a token never goes back to the browser. */
export function connectionValues(connection: Connection): Record<string, string> {
  const { kind, ...rest } = connection;
  const entries = Object.entries(rest).filter(([name, value]) => name !== 'token' && value !== null);
  return { kind, ...Object.fromEntries(entries.map(([name, value]) => [name, String(value)])) };
}

/**
 * What was typed. The device service checks hosts, ports and ranges; here only that numbers are numbers.
 * @param kept whose token stays where none is typed.
 */
export function readConnection(
  values: Readonly<Record<string, string>>,
  transport: Transport,
  ui: Ui,
  kept?: Connection,
): { connection: Connection; errors: FormState['errors'] } {
  const errors: Record<string, string> = {};
  const text = (name: string) => values[name]?.trim() ?? '';
  const number = (name: string) => {
    const value = Number(text(name).replace(',', '.'));
    if (text(name) === '' || !Number.isFinite(value)) errors[name] = ui.t('setup.fault_number');
    return value;
  };
  const needed = (name: string) => {
    if (text(name) === '') errors[name] = ui.t('setup.fault_needed');
    return text(name);
  };
  const connection = ((): Connection => {
    if (transport === 'push') return { kind: 'push' };
    if (transport === 'mqtt') return { kind: 'mqtt', topic: text('topic') || null };
    if (transport === 'http')
      return { kind: 'http', url: needed('url'), token: typedToken(values, kept), poll_s: number('poll_s') };
    const common = { unit: number('unit'), poll_s: number('poll_s') };
    if (values.kind === 'modbus-rtu')
      return {
        ...{ kind: 'modbus-rtu', path: needed('path'), baud: number('baud'), ...common },
        parity: values.parity === 'even' || values.parity === 'odd' ? values.parity : 'none',
        stop_bits: values.stop_bits === '2' ? 2 : 1,
      };
    const framing = values.framing === 'rtu' ? ({ framing: 'rtu' } as const) : {};
    return { kind: 'modbus-tcp', host: needed('host'), port: number('port'), ...common, ...framing };
  })();
  return { connection, errors };
}

function typedToken(values: Readonly<Record<string, string>>, kept: Connection | undefined): string | null {
  return values.token?.trim() || (kept?.kind === 'http' ? kept.token : null);
}
