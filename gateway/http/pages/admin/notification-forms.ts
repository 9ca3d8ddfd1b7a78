/** The forms of the notification settings: what was typed to what the service takes, and back. */
import type { FormState } from '../../../../web/components/controls.ts';
import type { Ui } from '../../../../web/ui.ts';
import type { Channel, ChannelInput, Recipient, RecipientInput } from '../../../services/notify/settings.ts';

export type Fields = Record<string, string>;

export const CHANNEL_FIELDS = [
  'name',
  'host',
  'port',
  'security',
  'user',
  'from',
  'ca_pem',
  'url',
  'secret',
  'device',
  'prefix',
  'min_severity',
  'repeat_min',
];
export const RECIPIENT_FIELDS = ['name', 'channel', 'address', 'step', 'language', 'quiet_from', 'quiet_to'];

const text = (fields: Fields, name: string) => fields[name]?.trim() ?? '';
const orNull = (fields: Fields, name: string) => text(fields, name) || null;
const whole = (fields: Fields, name: string) =>
  /^\d{1,9}$/.test(text(fields, name)) ? Number(text(fields, name)) : Number.NaN;

/** The service checks the values; here they only get their shape. */
export function channelInput(fields: Fields): ChannelInput {
  const secret = fields.secret ?? '';
  const severity = text(fields, 'min_severity');
  return {
    ...{ name: text(fields, 'name'), kind: text(fields, 'kind'), settings: settingsOf(fields) },
    ...(secret === '' ? {} : { secret }),
    min_severity: severity === 'info' || severity === 'fault' ? severity : 'warning',
    repeat_min: text(fields, 'repeat_min') === '' ? null : whole(fields, 'repeat_min'),
    enabled: fields.enabled !== undefined,
  };
}

function settingsOf(fields: Fields): Record<string, unknown> {
  const server = {
    host: text(fields, 'host'),
    port: whole(fields, 'port'),
    user: orNull(fields, 'user'),
    ca_pem: orNull(fields, 'ca_pem'),
  };
  if (fields.kind === 'email') return { ...server, security: text(fields, 'security'), from: text(fields, 'from') };
  if (fields.kind === 'webhook') return { url: text(fields, 'url') };
  if (fields.broker !== 'external') return { broker: 'own', device: text(fields, 'device') };
  return { broker: 'external', ...server, tls: fields.tls !== undefined, prefix: text(fields, 'prefix') };
}

/** Boxes that were not ticked are empty texts, so that they stay unticked when the form is shown again. */
export function typed(fields: Fields, boxes: readonly string[], errors: FormState['errors']): FormState {
  const { secret: _, ...values } = fields;
  return { values: { ...values, ...Object.fromEntries(boxes.map((name) => [name, fields[name] ?? ''])) }, errors };
}

export function channelForm({ settings, name, min_severity, repeat_min, enabled }: Channel): FormState {
  const entries = Object.entries(settings).map(([key, value]) => [
    key,
    value === null || value === false ? '' : String(value),
  ]);
  return {
    values: {
      ...Object.fromEntries(entries),
      name,
      min_severity,
      repeat_min: repeat_min === null ? '' : String(repeat_min),
      enabled: enabled ? 'yes' : '',
    },
    errors: {},
  };
}

/** @returns the input, or what is wrong with the times */
export function recipientInput(fields: Fields, { t }: Ui): { input: RecipientInput } | { errors: FormState['errors'] } {
  const errors: Record<string, string> = {};
  const [from, to] = ['quiet_from', 'quiet_to'].map((name) => {
    const minute = minuteOf(text(fields, name));
    if (minute === undefined) errors[name] = t('notify.fault_time');
    return minute ?? null;
  });
  if (from === null && to !== null && !errors.quiet_from) errors.quiet_from = t('notify.fault_time');
  if (to === null && from !== null && !errors.quiet_to) errors.quiet_to = t('notify.fault_time');
  if (Object.keys(errors).length > 0) return { errors };
  const quiet =
    from === null || from === undefined || to === null || to === undefined ? null : { from_min: from, to_min: to };
  return {
    input: {
      ...{ channel: text(fields, 'channel'), name: text(fields, 'name'), address: orNull(fields, 'address'), quiet },
      language: fields.language === 'de' ? 'de' : 'en',
      step: whole(fields, 'step'),
      faults_break_through: fields.faults_break_through !== undefined,
      enabled: fields.enabled !== undefined,
    },
  };
}

export function recipientForm(recipient: Recipient): FormState {
  const { name, channel, address, step, language, quiet, faults_break_through, enabled } = recipient;
  return {
    values: {
      ...{ name, channel, address: address ?? '', step: String(step), language },
      ...{ quiet_from: quiet ? clockTime(quiet.from_min) : '', quiet_to: quiet ? clockTime(quiet.to_min) : '' },
      ...{ faults_break_through: faults_break_through ? 'yes' : '', enabled: enabled ? 'yes' : '' },
    },
    errors: {},
  };
}

/** @returns minutes of the day, null for nothing, undefined for no time */
function minuteOf(time: string): number | null | undefined {
  if (time === '') return null;
  const match = /^([01]?\d|2[0-3])[:.]([0-5]\d)$/.exec(time);
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined;
}

export function clockTime(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}
