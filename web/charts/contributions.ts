/** What a forecast is made of, as bars from one value to the next: base, reasons, result. Without script or style. */
import type { GroupPart } from '../../engine/forecast/feature-groups.ts';

const [WIDTH, ROW, LABEL] = [640, 26, 200];
const GREY = '#777777';
const [MORE, LESS] = ['#b4552d', '#2d6fb4'];

/** A file of its own, so it brings its colours along; up is told by the sign as well. */
export function contributionsSvg({
  base,
  groups,
  unit,
}: {
  base: number;
  groups: readonly GroupPart[];
  unit: string;
}): string {
  let sum = base;
  const steps = groups.map(({ group, adds }) => {
    const from = sum;
    sum += adds;
    return { name: group.replaceAll('_', ' '), from, to: sum, adds };
  });
  const rows = [
    { name: 'base', from: 0, to: base, adds: base },
    ...steps,
    { name: 'forecast', from: 0, to: sum, adds: sum },
  ];
  const ends = rows.flatMap(({ from, to }) => [from, to]);
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const x = (value: number) => LABEL + ((value - low) / (high - low || 1)) * (WIDTH - LABEL - 90);
  const height = rows.length * ROW + 8;
  const bars = rows.map(({ name, from, to, adds }, k) => {
    const isWhole = k === 0 || k === rows.length - 1;
    const fill = isWhole ? GREY : adds >= 0 ? MORE : LESS;
    const y = 4 + k * ROW;
    const left = Math.min(x(from), x(to));
    const text = `${!isWhole && adds >= 0 ? '+' : ''}${Number(adds.toPrecision(4))} ${unit}`;
    return `<text x="4" y="${y + 17}" fill="${GREY}">${escaped(name)}</text><rect x="${left.toFixed(1)}" y="${y + 4}" width="${Math.max(1, Math.abs(x(to) - x(from))).toFixed(1)}" height="${ROW - 8}" fill="${fill}"/><text x="${(Math.max(x(from), x(to)) + 6).toFixed(1)}" y="${y + 17}" fill="${GREY}">${escaped(text)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img"><title>What the forecast is made of</title>${bars.join('')}</svg>`;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
