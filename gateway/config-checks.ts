/**
 * What one value of the configuration must look like beyond its type, so that all faults are told at once and before
 * anything starts. The sentences never repeat a value that may hold a password.
 */
import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseS3Url } from '../connectors/files/s3.ts';

/** Left empty in the environment (as compose files do) means not set. */
const optional = z
  .string()
  .nullable()
  .transform((text) => (text === '' ? null : text));

/** An address that browsers open; kept without the slash at its end. */
export const webAddress = optional
  .refine((text) => text === null || isUrl(text, ['http:', 'https:']), {
    error: 'is no address of a web site; give e.g. https://energy.example.com',
  })
  .transform((text) => text?.replace(/\/+$/, '') ?? null);

export const brokerAddress = optional.refine(
  (text) => text === null || isUrl(text, ['mqtt:', 'mqtts:', 'tcp:', 'tls:', 'ws:', 'wss:']),
  { error: 'is no address of a broker; give e.g. mqtt://user:pass@broker:1883' },
);

export const modelAddress = optional.refine((text) => text === null || isUrl(text, ['http:', 'https:']), {
  error: 'is no address of an Ollama server; give e.g. http://127.0.0.1:11434',
});

export const databaseAddress = z.string().refine((text) => text === 'embedded' || isPostgres(text), {
  error: 'is neither `embedded` nor postgres://user:password@host:5432/database',
});

export const ownerAddress = optional.refine((text) => text === null || isPostgres(text), {
  error: 'is no postgres://user:password@host:5432/database',
});

export const seriesAddress = z.string().refine((text) => text === 'duckdb' || isQuestDb(text), {
  error: 'is neither `duckdb` nor questdb://host:9000?pg=8812',
});

export const passagesAddress = z
  .string()
  .refine((text) => text === 'embedded' || isUrl(text, ['qdrant:', 'qdrants:']), {
    error: 'is neither `embedded` nor qdrant://host:6333',
  });

/** Its faults are told by the sentence of ours, for the address holds a secret. */
export const filesAddress = z.string().refine((text) => text === 'folder' || isS3(text), {
  error: 'is neither `folder` nor s3://KEY:SECRET@host:9000/bucket',
});

export const proxyAddress = z.string().refine(isAddressOrRange, {
  error: (issue) => `"${String(issue.input)}" is no address; write e.g. 10.0.0.2 or 10.0.0.0/8`,
});

export const providerAddress = z.string().refine((text) => isUrl(text, ['http:', 'https:']), {
  error: 'is no http:// or https:// address',
});

/** Why TLS cannot start from the owner's files: key by key. Other kinds of TLS need none. */
export function tlsFaults(values: Record<string, unknown>): string[] {
  if (values.tls !== 'files') return [];
  return ['tls_cert', 'tls_key'].flatMap((key) => {
    const path = values[key];
    if (typeof path !== 'string' || path === '') return [`${key}: is missing, which tls \`files\` needs`];
    return isReadable(path) ? [] : [`${key}: ${path} cannot be read`];
  });
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host } = new URL(text);
  return protocols.includes(protocol) && host !== '';
}

/** Without a host too: `?host=` may name the folder of a socket. */
function isPostgres(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text);
}

function isS3(text: string): boolean {
  try {
    parseS3Url(text);
    return true;
  } catch {
    return false;
  }
}

function isQuestDb(text: string): boolean {
  return text.startsWith('questdb://') && isUrl(text.replace(/^questdb:/, 'http:'), ['http:']);
}

function isAddressOrRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const kind = isIP(address);
  if (kind === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 6 ? 128 : 32));
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
