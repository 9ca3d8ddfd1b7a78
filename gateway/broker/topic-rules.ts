/** Which names and filters MQTT 3.1.1 allows (4.7), and whose a client id is. */

/** [MQTT-1.5.3-2]: a string never has the null character. The box marks topics in its store with it. */
export const MARK = '\0';

/** A topic to publish to: no wildcard, not empty, no null character. */
export function isTopic(topic: string): boolean {
  return topic !== '' && !/[+#]/.test(topic) && !topic.includes(MARK);
}

/** A filter to subscribe to: `+` stands alone in its level, `#` alone in the last one. */
export function isFilter(filter: string): boolean {
  if (filter === '' || filter.includes(MARK)) return false;
  const levels = filter.split('/');
  return levels.every((level, i) => level === '+' || (level === '#' ? i === levels.length - 1 : !/[+#]/.test(level)));
}

/** `tenant/device` of a client id, which the box put before it; of the box itself, its id. */
export function ownerOf(client_id: string): string {
  const end = client_id.indexOf('/', client_id.indexOf('/') + 1);
  return end < 0 ? client_id : client_id.slice(0, end);
}

/** The sender of what the box itself publishes for a tenant: no client has this id. */
export function boxOf(tenant: string): string {
  return `${tenant}/`;
}

export function tenantOf(client_id: string): string {
  return client_id.slice(0, Math.max(0, client_id.indexOf('/')));
}
