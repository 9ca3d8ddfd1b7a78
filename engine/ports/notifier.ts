/** Alerts to people. Part of `engine/ports.ts`. */

/** Brings messages about alerts to people or machines over one channel. */
export interface Notifier {
  /** Resolves with what the other side said, once it took the message. Rejects UnavailableError (down, slow: later may
   * work) or InvalidDataError (refused: the same again is refused again), in words for people and without secrets.
   * A second delivery of the same `id` can be recognised as such by the other side. */
  send(message: NotifierMessage, signal: AbortSignal): Promise<string>;
}
export type NotifierMessage = {
  /** The same in every attempt. */
  id: string;
  made_ms: number;
  /** E-mail address; null where the channel itself is the address. */
  to: string | null;
  language: 'en' | 'de';
  subject: string;
  /** The whole message as plain text. */
  text: string;
  /** A message from the settings page: about nothing. */
  test: boolean;
  site: string;
  alerts: readonly NotifiedAlert[];
  /** Further alerts that the message counts but does not list. */
  more: number;
};
export type NotifiedAlert = {
  id: string;
  kind: string;
  /** The meter point, device, area or file it is about, and its name. */
  object: string;
  name: string;
  severity: 'info' | 'warning' | 'fault';
  /** What the message tells about it. */
  what: 'opened' | 'escalated' | 'repeated' | 'acknowledged' | 'solved';
  /** What happened and what to do, in the message's language. */
  text: string;
  remedy: string;
  link: string | null;
  opened_ms: number;
  closed_ms: number | null;
  acknowledged_by: string | null;
};
