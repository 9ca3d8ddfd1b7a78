/** The configuration without its secrets, for a backup that everybody may read who can reach the disk. */
import { parse, stringify } from 'yaml';

const SECRET = /(token|password|passphrase|secret|_key)$/;
/** Paths of files, not what is in them. */
const PATHS = new Set(['tls_key']);

/** Leaves out keys that hold a secret, and addresses with a password or a query; a comment names them. */
export function redacted(yaml: string): string {
  const values = (parse(yaml) as Record<string, unknown> | null) ?? {};
  const left_out = Object.keys(values).filter((key) => isSecret(key, values[key]));
  const kept = Object.fromEntries(Object.entries(values).filter(([key]) => !left_out.includes(key)));
  const note =
    left_out.length > 0 ? `# Left out of this copy, because they hold secrets: ${left_out.join(', ')}\n` : '';
  return note + stringify(kept);
}

function isSecret(key: string, value: unknown): boolean {
  if (SECRET.test(key) && !PATHS.has(key)) return true;
  const text = JSON.stringify(value ?? null);
  // A password before the host, or anything behind a question mark, where addresses carry tokens.
  return /:\/\/[^/\s"]*@/.test(text) || /:\/\/[^\s"]*\?[^\s"]*=/.test(text);
}
