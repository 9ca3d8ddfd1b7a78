import { describe, expect, it } from 'vitest';
import { redact } from '../../../engine/rag/redact.ts';

describe('personal data', () => {
  it.each([
    ['Mail an erika.m+x@stadtwerke-luna.de bitte', 'Mail an [mail] bitte'],
    ['Tel. +49 170 1234567 oder 0170/1234567', 'Tel. [phone] oder [phone]'],
    ['Call (030) 123 456 78.', 'Call [phone].'],
    ['IBAN DE89 3704 0044 0532 0130 00', 'IBAN [account]'],
    ['Zähler 1EMH0012345678 zeigt', 'Zähler [meter] zeigt'],
    ['DE0001234567890000000000000012345 ist der Zählpunkt', '[meter] ist der Zählpunkt'],
    ['MaLo 51238696781', 'MaLo [meter]'],
    ['meter number: AB-99887766', 'meter number: [meter]'],
    ['Herr Dr. Max Mustermann fragt', 'Herr Dr. [name] fragt'],
    ['Frau von der Leyen', 'Frau von der Leyen'],
    ['My name is Jane Doe and', 'My name is [name] and'],
    ['Mr Smith asks', 'Mr [name] asks'],
  ])('of %j', (text, expected) => {
    expect(redact(text).text).toBe(expected);
  });

  it('of people that the organisation has', () => {
    const people = ['Erika Mustermann', 'erika@luna.example'];
    expect(redact('Erika Mustermann and Mustermanns meter', people).text).toBe('[name] and [name] meter');
    expect(redact('x', people).counts).toEqual({});
    expect(redact('Erika Mustermann, a@b.de', people).counts).toEqual({ name: 1, mail: 1 });
  });

  it.each([
    'Nach § 14a Abs. 1 EnWG beträgt die Mindestleistung 4,2 kW.',
    'Regulation (EU) 2019/943 of 5 June 2019',
    'BGBl. 2023 I Nr. 405, zuletzt geändert 01.01.2025',
    'Die Steuer beträgt 20,50 Euro für 1.000 Megawattstunden.',
    'Section 3.2.1 of 25.181(b)(12)',
    'Die Frau fragt den Herrn nach dem Zähler.',
  ])('are not %j', (text) => {
    expect(redact(text, ['Ann Lee']).text).toBe(text);
  });
});
