/** Risk against coverage as a picture: how many of the surest answers are wrong, as more questions are answered. */
import type { Scored } from './score.ts';

const SIZE = { width: 640, height: 360, left: 56, right: 16, top: 16, bottom: 48 };

/** Answers from the surest on; an answer to a question that cannot be answered is wrong. */
export function curveOf(scored: readonly Scored[]): { coverage: number; risk: number }[] {
  const answered = scored.filter((one) => one.answered).sort((a, b) => b.confidence - a.confidence);
  let wrong = 0;
  return answered.map((one, i) => {
    if (!one.right) wrong += 1;
    return { coverage: (i + 1) / scored.length, risk: wrong / (i + 1) };
  });
}

export function svgOf(points: readonly { coverage: number; risk: number }[], title: string): string {
  const { width, height, left, right, top, bottom } = SIZE;
  const x = (coverage: number) => left + coverage * (width - left - right);
  const y = (risk: number) => height - bottom - (risk / 0.3) * (height - top - bottom);
  const line = points
    .map(({ coverage, risk }) => `${x(coverage).toFixed(1)},${y(Math.min(0.3, risk)).toFixed(1)}`)
    .join(' ');
  const text = (at_x: number, at_y: number, words: string, anchor = 'middle') =>
    `<text x="${at_x}" y="${at_y}" text-anchor="${anchor}" font-family="sans-serif" font-size="12" fill="#444">${words}</text>`;
  const grid = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3].map(
    (risk) =>
      `<line x1="${left}" x2="${width - right}" y1="${y(risk)}" y2="${y(risk)}" stroke="#ddd"/>${text(left - 6, y(risk) + 4, `${Math.round(risk * 100)} %`, 'end')}`,
  );
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((coverage) =>
    text(x(coverage), height - bottom + 18, `${coverage * 100} %`),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<rect width="${width}" height="${height}" fill="#fff"/>${grid.join('')}${ticks.join('')}
${text(width / 2, height - 10, 'share of all questions that is answered, the surest first')}
<polyline points="${line}" fill="none" stroke="#0b6e4f" stroke-width="2"/>
${text(width - right, top + 12, `${title}: share of wrong answers`, 'end')}
</svg>
`;
}
