/** What every page gets beside its view: who reads, in which language, zone and currency, and how to write values. */
import type { Role, Site } from '../engine/model/site.ts';
import { createFormat, type Format } from './format.ts';
import {
  createTranslate,
  createTranslateRich,
  type Html,
  hasText,
  type Language,
  type Translate,
  type TranslateRich,
} from './i18n/text.ts';

export type { Html, Language };
export type Theme = 'system' | 'light' | 'dark';

export type UiInput = {
  language: Language;
  theme: Theme;
  /** Path and query of the page, to come back to after a form. */
  path: string;
  site: Pick<Site, 'name' | 'place' | 'time_zone' | 'currency' | 'demo'> | null;
  /** Null for somebody who has not signed in. `name` is shown. */
  actor: { person: string; name: string; role: Role } | null;
  csrf: string;
  now_ms: number;
  /** While the clock of the box is not trusted: since when, what it shows, and what the box goes on with. */
  clock?: { since_ms: number; wall_ms: number; believed_ms: number } | null;
  /** Address of a file of ours that browsers may keep for ever. */
  asset: (name: string) => string;
};

export type Ui = UiInput & {
  t: Translate;
  /** Whether a text of that name exists, for names that come from data. */
  has: (key: string) => boolean;
  rich: TranslateRich;
  format: Format;
  time_zone: string;
  demo: boolean;
};

/** Creates the texts and formats of one request. */
export function createUi(input: UiInput): Ui {
  const time_zone = input.site?.time_zone ?? 'UTC';
  const t = createTranslate(input.language);
  return {
    ...input,
    t,
    has: hasText,
    rich: createTranslateRich(input.language),
    format: createFormat({ language: input.language, time_zone, currency: input.site?.currency ?? 'EUR', t }),
    time_zone,
    demo: input.site?.demo ?? false,
  };
}
