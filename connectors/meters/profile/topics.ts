/** MQTT topic filters (MQTT 3.1.1, section 4.7). */

/** Puts the device's own topic in for `{topic}`. */
export function filled(pattern: string, values: Readonly<Record<string, string>>): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** Whether `topic` (no wildcards) is caught by `filter`. */
export function topicMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  if (!/[+#]/.test(filter)) return false;
  const parts = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (parts[0] === '+' || parts[0] === '#')) return false;
  for (const [index, part] of parts.entries()) {
    if (part === '#') return true;
    if (index >= levels.length || (part !== '+' && part !== levels[index])) return false;
  }
  return parts.length === levels.length;
}

/** Whether everything that `filter` catches is caught by `allowed` too: what may be subscribed to. */
export function filterWithin(filter: string, allowed: string): boolean {
  const parts = filter.split('/');
  const limits = allowed.split('/');
  for (const [index, limit] of limits.entries()) {
    if (limit === '#') return parts.length >= index;
    const part = parts[index];
    if (part === undefined || part === '#') return false;
    if (limit !== '+' && part !== limit) return false;
  }
  return parts.length === limits.length;
}
