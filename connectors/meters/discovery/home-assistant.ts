/**
 * Home Assistant's MQTT discovery: one retained configuration message for each quantity of a meter point. Source:
 * home-assistant.io/integrations/mqtt (MQTT discovery) and developers.home-assistant.io (sensor device classes).
 */
import { quantityInfo } from '../../../engine/model/quantity.ts';

export type Announced = { tenant: string; meter: string; name: string; quantity: string };
export type DiscoveryMessage = { topic: string; payload: string };

const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/^apparent_power/, 'apparent_power'],
  [/^reactive_power/, 'reactive_power'],
  [/^power_factor/, 'power_factor'],
  [/^power/, 'power'],
  [/^voltage/, 'voltage'],
  [/^current/, 'current'],
  [/^frequency/, 'frequency'],
  [/^soc/, 'battery'],
  [/^temperature/, 'temperature'],
  [/^humidity/, 'humidity'],
  [/^irradiance/, 'irradiance'],
  [/^(import|export|heat)_kWh$/, 'energy'],
  [/^gas_m3$/, 'gas'],
  [/^water_m3$/, 'water'],
];

/** Only `default` has the plain topics; a filter of one tenant never covers another's. */
function prefix(word: string, tenant: string): string {
  return tenant === 'default' ? word : `${word}-${tenant}`;
}

/** Letters, digits, hyphens and underscores are all that an id may have there. */
function objectId({ meter, quantity }: Announced): string {
  return `luna_${meter.replace(/[^A-Za-z0-9_-]/g, '_')}_${quantity}`;
}

export function configTopic(what: Announced): string {
  return `${prefix('homeassistant', what.tenant)}/sensor/${objectId(what)}/config`;
}

export function stateTopic({ tenant, meter, quantity }: Announced): string {
  return `${prefix('luna', tenant)}/${meter}/${quantity}/state`;
}

/** @returns null for quantities that are no state (energy of an interval). */
export function discoveryMessage(what: Announced): DiscoveryMessage | null {
  const info = quantityInfo(what.quantity);
  if (!info || info.kind === 'interval') return null;
  const device_class = CLASSES.find(([pattern]) => pattern.test(what.quantity))?.[1];
  const payload = {
    name: what.quantity.replace(/_[^_]+$/, '').replaceAll('_', ' '),
    unique_id: prefix(objectId(what), what.tenant),
    state_topic: stateTopic(what),
    ...(info.unit === 'ratio' ? {} : { unit_of_measurement: info.unit }),
    ...(device_class ? { device_class } : {}),
    state_class: info.kind === 'register' ? 'total_increasing' : 'measurement',
    device: { identifiers: [prefix(`luna_${what.meter}`, what.tenant)], name: what.name, manufacturer: 'Luna iEMS' },
    origin: { name: 'Luna iEMS' },
  };
  return { topic: configTopic(what), payload: JSON.stringify(payload) };
}
