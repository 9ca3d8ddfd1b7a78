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

/** What is to be told now, and when the same alerts may next have something to tell without any change of theirs. */
export type Plan = { messages: PlannedMessage[]; next_ms: number };
export type Planning = {
  /** Takes more alerts with everything that was told about them. */
  add(alerts: readonly PlannedAlert[], told: readonly Told[]): void;
  /** At most one message a recipient, each with everything that may be told to it now. */
  finish(): Plan;
};

/** At most one message a recipient, each with everything that may be told to it now. */
export function planMessages({ alerts, told, ...input }: PlanInput): PlannedMessage[] {
  const planning = createPlanning(input);
  planning.add(alerts, told);
  return planning.finish().messages;
}

type Waiting = { items: PlannedItem[]; severity: Severity; due: boolean };

/** Plans in parts, so that many alerts need not be looked at in one go; the outcome is that of all at once. */
export function createPlanning(input: Omit<PlanInput, 'alerts' | 'told'>): Planning {
  const { now_ms, recipients, rules } = input;
  const waiting = new Map<string, Waiting>();
  const quietEnd = quietOf(input);
  const windowOf = windowsOf(input);
  const stepsOf = stepsFor(recipients);
  let next_ms = Number.POSITIVE_INFINITY;
  const later = (at_ms: number) => {
    next_ms = Math.min(next_ms, at_ms);
  };

  function take({ id }: PlannedRecipient, { at_ms, severity, ...item }: Ready): void {
    const due_ms = at_ms + windowOf(id, severity);
    let one = waiting.get(id);
    if (!one) {
      one = { items: [], severity, due: false };
      waiting.set(id, one);
    }
    one.items.push(item);
    if (RANK[severity] > RANK[one.severity]) one.severity = severity;
    if (due_ms <= now_ms) one.due = true;
    else later(due_ms);
  }

  return {
    add(alerts, told) {
      const known = byAlert(told);
      for (const alert of alerts) {
        const heldUntil = (recipient: PlannedRecipient) => quietEnd(recipient, alert.severity);
        const mine = known.get(alert.id) ?? NOTHING_TOLD;
        for (const [recipient, item] of readyItems(alert, stepsOf(alert), mine, rules, heldUntil)) {
          const until_ms = heldUntil(recipient);
          if (item.at_ms > now_ms) later(item.at_ms);
          else if (until_ms !== null) later(until_ms);
          else take(recipient, item);
        }
      }
    },
    finish() {
      const messages: PlannedMessage[] = [];
      for (const { id } of recipients) {
        const one = waiting.get(id);
        if (one?.due) messages.push({ recipient: id, severity: one.severity, items: one.items });
      }
      return { messages, next_ms };
    },
  };
}

/** When the quiet hours end that hold somebody back from what is so severe, or null; looked up once a recipient. */
function quietOf({ now_ms, time_zone }: Pick<PlanInput, 'now_ms' | 'time_zone'>) {
  const known = new Map<string, number | null>();
  return ({ id, quiet, faults_break_through }: PlannedRecipient, severity: Severity): number | null => {
    if (quiet === null || (severity === 'fault' && faults_break_through)) return null;
    let until_ms = known.get(id);
    if (until_ms === undefined) {
      until_ms = quietUntil(now_ms, quiet, time_zone);
      known.set(id, until_ms);
    }
    return until_ms;
  };
}

/** What was told about one alert, by recipient. */
type ToldTo = ReadonlyMap<string, readonly Told[]>;
const NOTHING_TOLD: ToldTo = new Map();

function byAlert(told: readonly Told[]): Map<string, Map<string, Told[]>> {
  const found = new Map<string, Map<string, Told[]>>();
  for (const one of told) {
    let people = found.get(one.alert);
    if (!people) {
      people = new Map();
      found.set(one.alert, people);
    }
    const list = people.get(one.recipient);
    if (list) list.push(one);
    else people.set(one.recipient, [one]);
  }
  return found;
}

/** The recipients that an alert concerns, in the order of escalation; the same for all of its severity. */
function stepsFor(recipients: readonly PlannedRecipient[]): (alert: PlannedAlert) => PlannedRecipient[][] {
  const known = new Map<string, PlannedRecipient[][]>();
  return ({ severity, kind, object }) => {
    const failing = kind === ABOUT_CHANNEL ? object : '';
    const key = `${severity} ${failing}`;
    let steps = known.get(key);
    if (!steps) {
      const concerned = recipients.filter(
        ({ min_severity, channel }) => RANK[severity] >= RANK[min_severity] && channel !== failing,
      );
      const places = [...new Set(concerned.map(({ step }) => step))].sort((a, b) => a - b);
      steps = places.map((place) => concerned.filter(({ step }) => step === place));
      known.set(key, steps);
    }
    return steps;
  };
}

function readyItems(
  alert: PlannedAlert,
  steps: readonly PlannedRecipient[][],
  told: ToldTo,
  rules: AlertRules,
  heldUntil: HeldUntil,
): [PlannedRecipient, Ready][] {
  const items: [PlannedRecipient, Ready][] = [];
  const add = (recipient: PlannedRecipient, what: What, at_ms: number | null, n = 0) => {
    if (at_ms !== null)
      items.push([recipient, { alert: alert.id, round: alert.round, what, n, at_ms, severity: alert.severity }]);
  };
  let begins_ms: number | null = alert.raised_ms;
  for (const [place, step] of steps.entries()) {
    for (const recipient of step) {
      const mine = told.get(recipient.id) ?? [];
      const now = mine.filter(({ round }) => round === alert.round);
      if (alert.closed_ms !== null) add(recipient, 'solved', solvedAt(alert, alert.closed_ms, mine));
      else if (alert.acknowledged_ms !== null)
        add(recipient, 'acknowledged', acknowledgedAt(recipient, alert.acknowledged_ms, mine, now));
      else if (!now.some(isNews)) add(recipient, place === 0 ? 'opened' : 'escalated', begins_ms);
      else add(recipient, 'repeated', ...repeatAt(recipient, now));
    }
    begins_ms = nextStep(alert, step, told, rules, begins_ms, heldUntil);
  }
  return items;
}
type HeldUntil = (recipient: PlannedRecipient) => number | null;

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
  told: ToldTo,
  { escalate_min }: AlertRules,
  begins_ms: number | null,
  heldUntil: HeldUntil,
): number | null {
  let first_ms: number | null = null;
  let nobody = true;
  for (const recipient of step) {
    const news = (told.get(recipient.id) ?? []).filter((one) => one.round === alert.round && isNews(one));
    for (const { at_ms } of news) first_ms = Math.min(first_ms ?? at_ms, at_ms);
    const reached =
      news.length === 0 ? heldUntil(recipient) === null : news.some(({ refused, sent }) => sent || !refused);
    if (reached) nobody = false;
  }
  if (first_ms === null) return nobody ? begins_ms : null;
  return nobody ? first_ms : first_ms + escalate_min * MINUTE_MS;
}

/** How long the first message about something waits for more: each message in the hour before doubles it. */
function windowsOf({ now_ms, rules, messages }: Pick<PlanInput, 'now_ms' | 'rules' | 'messages'>) {
  const known = new Map<string, number>();
  return (recipient: string, severity: Severity): number => {
    const key = `${severity} ${recipient}`;
    let window_ms = known.get(key);
    if (window_ms === undefined) {
      const before = messages.filter(
        (one) => one.recipient === recipient && one.at_ms > now_ms - HOUR_MS && RANK[one.severity] >= RANK[severity],
      ).length;
      const longest_ms = Math.max(rules.group_s * 1000, LONGEST_WINDOW_MS[severity]);
      window_ms = Math.min(rules.group_s * 1000 * 2 ** Math.min(before, 20), longest_ms);
      known.set(key, window_ms);
    }
    return window_ms;
  };
}
