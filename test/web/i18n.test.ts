import { html } from 'hono/html';
import { describe, expect, it } from 'vitest';
import { de } from '../../web/i18n/de.ts';
import { en } from '../../web/i18n/en.ts';
import { createTranslate, createTranslateRich, hasText, type TextKey } from '../../web/i18n/text.ts';

const keys = Object.keys(en) as TextKey[];
const slots = (text: string) => [...new Set([...text.matchAll(/\{([a-z_]+)/gi)].map(([, name]) => name))].sort();

describe('texts', () => {
  it('are the same set in both languages', () => expect(Object.keys(de).sort()).toEqual([...keys].sort()));

  it.each(keys)('%s takes the same parameters and says something in both', (key) => {
    expect(slots(de[key])).toEqual(slots(en[key]));
    for (const text of [en[key], de[key]]) {
      expect(text.trim()).not.toBe('');
      expect(text.replace(/\{[^{}]*\}/g, '')).not.toMatch(/[{}]/);
    }
  });

  it('are translated: equal texts are words that both languages share', () => {
    const shared = keys.filter((key) => en[key] === de[key] && /[a-z]{4,}.* .*[a-z]{4,}/i.test(en[key]));
    expect(shared).toEqual([]);
  });
});

describe('translate', () => {
  it('fills parameters and chooses by number', () => {
    const [english, german] = [createTranslate('en'), createTranslate('de')];
    expect(english('now.one_fault', { n: 1 })).toBe('1 meter needs attention');
    expect(english('now.one_fault', { n: 3 })).toBe('3 meters need attention');
    expect(german('now.one_fault', { n: 1 })).toBe('1 Zähler braucht Aufmerksamkeit');
    expect(german('common.ago', { age: '4 s' })).toBe('vor 4 s');
  });

  it('escapes what is filled into markup, and takes markup as it is', () => {
    const rich = createTranslateRich('en');
    expect(String(rich('now.using', { power: '<script>' }))).toBe('Using &lt;script&gt;');
    expect(String(rich('now.using', { power: html`<b>${'4 & 5'}</b>` }))).toBe('Using <b>4 &amp; 5</b>');
  });

  it('does not take names of Object for texts', () => {
    expect(hasText('toString')).toBe(false);
    expect(hasText('now.using')).toBe(true);
  });
});
