/**
 * Who is to be told what now. Pure: the same alerts, people, past messages and instant give the same plan, so that a
 * restart decides as before and what was decided once is known from the messages that exist.
 */
import { type QuietHours, quietUntil } from './quiet.ts';

export type Severity = 'info' | 'warning' | 'fault';
const RANK: Record<Severity, number> = { info: 0, warning: 1, fault: 2 };

/** `round` counts up when an open alert gets worse: everybody is told anew. */
export type PlannedAlert = {
  id: string;
  kind: string;
  object: string;
  severity: Severity;
  /** When this round began by the box's clock; the alert itself may have begun earlier. */
  raised_ms: number;
  closed_ms: number | null;
  acknowledged_ms: number | null;
  round: number;
};

export type PlannedRecipient = {
  id: string;
  channel: string;
  /** A mirror of states is also told of an acknowledgement. */
  mirrors: boolean;
  min_severity: Severity;
  /** Minutes after which an open, unacknowledged alert is told again; null never. */
  repeat_min: number | null;
  /** Place in the order of escalation, 1 first. */
  step: number;
  quiet: QuietHours | null;
  /** Whether faults are told in the quiet hours, too. */
  faults_break_through: boolean;
};

export type What = 'opened' | 'escalated' | 'repeated' | 'acknowledged' | 'solved';
/** What a recipient was told about an alert. `refused`: the other side did not take it, or it was given up. */
export type Told = {
  alert: string;
  recipient: string;
  round: number;
  what: What;
  n: number;
  at_ms: number;
  sent: boolean;
  refused: boolean;
};
export type PastMessage = { recipient: string; at_ms: number; severity: Severity };
export type AlertRules = {
  /** Seconds that alerts are gathered before the message about the first of them leaves. */
  group_s: number;
  /** Minutes without acknowledgement until the next step is told. */
  escalate_min: number;
};

export type PlannedItem = { alert: string; round: number; what: What; n: number };
export type PlannedMessage = { recipient: string; severity: Severity; items: PlannedItem[] };
export type PlanInput = {
  now_ms: number;
  time_zone: string;
  rules: AlertRules;
  alerts: readonly PlannedAlert[];
  recipients: readonly PlannedRecipient[];
  told: readonly Told[];
  /** Of the last hour. */
  messages: readonly PastMessage[];
};

type Ready = PlannedItem & { at_ms: number; severity: Severity };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** In a storm messages become fewer, and faults never wait for long. */
const LONGEST_WINDOW_MS: Record<Severity, number> = { info: HOUR_MS, warning: 30 * MINUTE_MS, fault: 5 * MINUTE_MS };
/** The alert about a channel goes out over the others. */
export const ABOUT_CHANNEL = 'channel_failing';

/** At most one message a recipient, each with everything that may be told to it now. */
export function planMessages(input: PlanInput): PlannedMessage[] {
  const told = byAlert(input.told);
  const ready = new Map<string, Ready[]>();
  const holds = quietNow(input);
  for (const alert of input.alerts) {
    const steps = stepsOf(alert, input.recipients);
    const isHeld = (recipient: PlannedRecipient) => holds(recipient, alert.severity);
    for (const [recipient, item] of readyItems(alert, steps, told.get(alert.id) ?? [], input.rules, isHeld))
      if (item.at_ms <= input.now_ms && !isHeld(recipient)) {
        const list = ready.get(recipient.id);
        if (list) list.push(item);
        else ready.set(recipient.id, [item]);
      }
  }
  const planned: PlannedMessage[] = [];
  for (const { id } of input.recipients) {
    const items = ready.get(id) ?? [];
    if (items.length > 0 && isDue(id, items, input)) planned.push(messageOf(id, items));
  }
  return planned;
}

/** Whether somebody's quiet hours hold back what is so severe; looked up once a recipient. */
function quietNow({ now_ms, time_zone }: PlanInput): (recipient: PlannedRecipient, severity: Severity) => boolean {
  const known = new Map<string, boolean>();
  return ({ id, quiet, faults_break_through }, severity) => {
    if (quiet === null || (severity === 'fault' && faults_break_through)) return false;
    let holds = known.get(id);
    if (holds === undefined) {
      holds = quietUntil(now_ms, quiet, time_zone) !== null;
      known.set(id, holds);
    }
    return holds;
  };
}

function byAlert(told: readonly Told[]): Map<string, Told[]> {
  const found = new Map<string, Told[]>();
  for (const one of told) {
    const list = found.get(one.alert);
    if (list) list.push(one);
    else found.set(one.alert, [one]);
  }
  return found;
}

/** The recipients that this alert concerns, in the order of escalation. */
function stepsOf(alert: PlannedAlert, recipients: readonly PlannedRecipient[]): PlannedRecipient[][] {
  const concerned = recipients.filter(
    ({ min_severity, channel }) =>
      RANK[alert.severity] >= RANK[min_severity] && !(alert.kind === ABOUT_CHANNEL && alert.object === channel),
  );
  const steps = new Map<number, PlannedRecipient[]>();
  for (const one of concerned) steps.set(one.step, [...(steps.get(one.step) ?? []), one]);
  return [...steps].sort(([a], [b]) => a - b).map(([, step]) => step);
}

function readyItems(
  alert: PlannedAlert,
  steps: readonly PlannedRecipient[][],
  told: readonly Told[],
  rules: AlertRules,
  isHeld: (recipient: PlannedRecipient) => boolean,
): [PlannedRecipient, Ready][] {
  const items: [PlannedRecipient, Ready][] = [];
  const add = (recipient: PlannedRecipient, what: What, at_ms: number | null, n = 0) => {
    if (at_ms !== null)
      items.push([recipient, { alert: alert.id, round: alert.round, what, n, at_ms, severity: alert.severity }]);
  };
  let begins_ms: number | null = alert.raised_ms;
  for (const [place, step] of steps.entries()) {
    for (const recipient of step) {
      const mine = told.filter((one) => one.recipient === recipient.id);
      const now = mine.filter(({ round }) => round === alert.round);
      if (alert.closed_ms !== null) add(recipient, 'solved', solvedAt(alert, alert.closed_ms, mine));
      else if (alert.acknowledged_ms !== null)
        add(recipient, 'acknowledged', acknowledgedAt(recipient, alert.acknowledged_ms, mine, now));
      else if (!now.some(isNews)) add(recipient, place === 0 ? 'opened' : 'escalated', begins_ms);
      else add(recipient, 'repeated', ...repeatAt(recipient, now));
    }
    begins_ms = nextStep(alert, step, told, rules, begins_ms, isHeld);
  }
  return items;
}

function isNews({ what }: Told): boolean {
  return what === 'opened' || what === 'escalated';
}

/** Only who was told that it began is told that it is over. */
function solvedAt(alert: PlannedAlert, closed_ms: number, mine: readonly Told[]): number | null {
  const knows = mine.some((one) => isNews(one) && (one.sent || !one.refused));
  return knows && !mine.some(({ what, round }) => what === 'solved' && round === alert.round) ? closed_ms : null;
}

function acknowledgedAt(
  { mirrors }: PlannedRecipient,
  acknowledged_ms: number,
  mine: readonly Told[],
  now: readonly Told[],
): number | null {
  return mirrors && mine.some(isNews) && !now.some(({ what }) => what === 'acknowledged') ? acknowledged_ms : null;
}

function repeatAt({ repeat_min }: PlannedRecipient, now: readonly Told[]): [at_ms: number | null, n: number] {
  const heard = now.filter((one) => isNews(one) || one.what === 'repeated');
  // What has not left yet needs no repetition.
  if (repeat_min === null || heard.some(({ sent }) => !sent)) return [null, 0];
  const last_ms = Math.max(...heard.map(({ at_ms }) => at_ms));
  return [last_ms + repeat_min * MINUTE_MS, heard.length];
}

/**
 * When the step after `step` begins: some minutes after `step` was told, at once where nobody there can be reached: all
 * were refused, or are in their quiet hours and will be told at the end of them.
 */
function nextStep(
  alert: PlannedAlert,
  step: readonly PlannedRecipient[],
  told: readonly Told[],
  { escalate_min }: AlertRules,
  begins_ms: number | null,
  isHeld: (recipient: PlannedRecipient) => boolean,
): number | null {
  const ids = new Set(step.map(({ id }) => id));
  const news = told.filter((one) => ids.has(one.recipient) && one.round === alert.round && isNews(one));
  const nobody = step.every((recipient) => {
    const mine = news.filter((one) => one.recipient === recipient.id);
    return mine.length === 0 ? isHeld(recipient) : mine.every(({ refused, sent }) => refused && !sent);
  });
  if (news.length === 0) return nobody ? begins_ms : null;
  const first_ms = Math.min(...news.map(({ at_ms }) => at_ms));
  return nobody ? first_ms : first_ms + escalate_min * MINUTE_MS;
}

/** The first message about something waits for the window; each message in the hour before doubles it. */
function isDue(recipient: string, items: readonly Ready[], { now_ms, rules, messages }: PlanInput): boolean {
  return items.some(({ at_ms, severity }) => {
    const before = messages.filter(
      (one) => one.recipient === recipient && one.at_ms > now_ms - HOUR_MS && RANK[one.severity] >= RANK[severity],
    ).length;
    const longest_ms = Math.max(rules.group_s * 1000, LONGEST_WINDOW_MS[severity]);
    const window_ms = Math.min(rules.group_s * 1000 * 2 ** Math.min(before, 20), longest_ms);
    return at_ms + window_ms <= now_ms;
  });
}

function messageOf(recipient: string, items: readonly Ready[]): PlannedMessage {
  const severity = items.reduce<Severity>(
    (worst, one) => (RANK[one.severity] > RANK[worst] ? one.severity : worst),
    'info',
  );
  return { recipient, severity, items: items.map(({ alert, round, what, n }) => ({ alert, round, what, n })) };
}
