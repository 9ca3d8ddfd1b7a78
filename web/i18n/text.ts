/**
 * Texts with typed parameters. `{name}` is replaced by a parameter; `{n|meter|meters}` chooses the first word for 1
 * and the second otherwise, by the parameter `n`.
 */
import { html, raw } from 'hono/html';
import { de } from './de.ts';
import { en } from './en.ts';

export type Language = 'en' | 'de';
export const LANGUAGES: readonly Language[] = ['en', 'de'];

type Texts = typeof en;
export type TextKey = keyof Texts;

type NameOf<Slot extends string> = Slot extends `${infer Name}|${string}` ? Name : Slot;
/** Names of the parameters of a text, read off its literal type. */
export type ParameterNames<Text extends string> = Text extends `${string}{${infer Slot}}${infer Rest}`
  ? NameOf<Slot> | ParameterNames<Rest>
  : never;
type Parameters<K extends TextKey, Value> = [ParameterNames<Texts[K]>] extends [never]
  ? []
  : [parameters: Record<ParameterNames<Texts[K]>, Value>];

export type Html = ReturnType<typeof html>;
export type Translate = <K extends TextKey>(key: K, ...parameters: Parameters<K, string | number>) => string;
/** Like Translate, with markup as parameters: `rich('now.drawing', { power: html`<b>84 kW</b>` })`. */
export type TranslateRich = <K extends TextKey>(key: K, ...parameters: Parameters<K, string | number | Html>) => Html;

const SLOT = /\{([a-z_]+)(?:\|([^|}]*)\|([^}]*))?\}/gi;

/** Whether a text of that name exists. */
export function hasText(key: string): key is TextKey {
  return Object.hasOwn(en, key);
}

/** Creates the text function of a language. */
export function createTranslate(language: Language): Translate {
  const texts: Record<TextKey, string> = language === 'de' ? de : en;
  return (key, ...[parameters]) => {
    const values: Record<string, string | number> = parameters ?? {};
    return texts[key].replace(SLOT, (_, name: string, one?: string, other?: string) =>
      one === undefined ? String(values[name] ?? '') : Number(values[name]) === 1 ? one : (other ?? ''),
    );
  };
}

/** Creates the text function whose parameters may be markup; everything else is escaped. */
export function createTranslateRich(language: Language): TranslateRich {
  const texts: Record<TextKey, string> = language === 'de' ? de : en;
  return (key, ...[parameters]) => {
    const values: Record<string, string | number | Html> = parameters ?? {};
    const parts = texts[key].split(/(\{[^}]*\})/);
    return html`${parts.map((part) => fill(part, values))}`;
  };
}

function fill(part: string, values: Record<string, string | number | Html>): string | number | Html {
  const slot = /^\{([a-z_]+)(?:\|([^|}]*)\|([^}]*))?\}$/i.exec(part);
  if (!slot) return part;
  const value = values[slot[1]!] ?? '';
  if (slot[2] === undefined) return value;
  return Number(value) === 1 ? slot[2] : (slot[3] ?? '');
}

/** Markup that is known to be safe because we wrote it. */
export function trusted(markup: string): Html {
  return raw(markup);
}
