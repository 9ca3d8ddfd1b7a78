import { expect, it } from 'vitest';
import { lastLine, parseOptions } from './options.ts';

it('reads options with and without values', () => {
  expect(parseOptions(['--seconds', '5', '--fast', '--seed=7', '--query=a=b'])).toEqual({
    seconds: '5',
    fast: 'true',
    seed: '7',
    query: 'a=b',
  });
});

it('refuses a value without its option', () => {
  expect(() => parseOptions(['5'])).toThrow('not "5"');
});

it('gives one flat object with the name first', () => {
  expect(lastLine('ingest', { lost: 0, ok: true, note: null })).toBe(
    '{"bench":"ingest","lost":0,"ok":true,"note":null}',
  );
  expect(() => lastLine('ingest', { lost: [] as unknown as number })).toThrow('nested value for lost');
});
