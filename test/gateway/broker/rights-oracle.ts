/** Who may say and hear what at the broker: a table, and the little it takes to read it. Nothing of the box's own code. */

export type Account = {
  username: string;
  tenant: string;
  device: string;
  profile: string | null;
  /** Topics it may publish to, and topics it may ever see. */
  says: RegExp;
  sees: RegExp;
};

const own = (device: string) => `meters/${device.replaceAll('.', '\\.')}/.*`;
const account = (
  tenant: string,
  device: string,
  profile: string | null = null,
  says: string[] = [],
  sees: string[] = [],
): Account => ({
  ...{ username: tenant === 'default' ? device : `${tenant}.${device}`, tenant, device, profile },
  says: new RegExp(`^(${[own(device), ...says].join('|')})$`, 's'),
  sees: new RegExp(`^(${[own(device), ...sees].join('|')})$`, 's'),
});

/** Two organisations with devices of the same names, devices whose names begin alike, and programs with wide rights. */
export const ACCOUNTS: readonly Account[] = [
  account('default', 'a'),
  account('default', 'a.b'),
  account('default', 'readings'),
  account('default', 'ha', 'home-assistant', ['homeassistant/status'], ['homeassistant(/.*)?', 'luna(/.*)?']),
  account(
    'default',
    'zigbee2mqtt',
    'zigbee2mqtt-bridge',
    ['zigbee2mqtt(/.*)?', 'homeassistant(/.*)?'],
    ['zigbee2mqtt(/.*)?', 'homeassistant/status'],
  ),
  account('other', 'a'),
  account(
    'other',
    'ha',
    'home-assistant',
    ['homeassistant-other/status'],
    ['homeassistant-other(/.*)?', 'luna-other(/.*)?'],
  ),
  // An id that is the word under which the box publishes for the default organisation.
  account(
    'other',
    'luna',
    'zigbee2mqtt-bridge',
    ['luna(/.*)?', 'homeassistant(/.*)?'],
    ['luna(/.*)?', 'homeassistant/status'],
  ),
];

/** Whether the standard allows it (MQTT 3.1.1, 1.5.3 and 4.7). */
export const isLegalTopic = (topic: string): boolean => /^[^+#\0]+$/.test(topic) && topic.split('/').length <= 100;
export const isLegalFilter = (filter: string): boolean =>
  filter.length > 0 && /^(([^+#/\0]*|\+)\/)*([^+#/\0]*|\+|#)$/.test(filter) && filter.split('/').length <= 100;

/** Words that stand for anything a wildcard could catch. */
const STRANGE = ['ζ', '', 'a', '$SYS'];

/** Whether an account may be granted a filter: everything that the filter could catch is for its eyes. */
export function mayHear({ sees, device }: Account, filter: string): boolean {
  // `meters/a/#` catches the parent `meters/a` too, under which nobody may publish.
  return witnesses(filter).every((topic) => sees.test(topic) || topic === `meters/${device}`);
}

function witnesses(filter: string): string[] {
  let topics = [''];
  for (const [i, level] of filter.split('/').entries()) {
    const words = level === '+' ? STRANGE : level === '#' ? [...STRANGE, 'ζ/ζ'] : [level];
    const longer = topics.flatMap((topic) => words.map((word) => (i === 0 ? word : `${topic}/${word}`)));
    topics = (level === '#' && i > 0 ? [...topics, ...longer] : longer).slice(0, 5000);
  }
  return topics;
}
