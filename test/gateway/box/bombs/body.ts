/** Bodies of requests: deep, wide, or in many parts. */
import { type Bomb, bodyBomb, MB } from './bomb.ts';

const JSON_TYPE = 'application/json';

export function bodyBombs(): Bomb[] {
  const aliases = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from('bcdefghij', (name, i) => {
    const before = 'abcdefghi'[i];
    return `${name}: &${name} [${`*${before},`.repeat(9)}]\n`;
  }).join('')}devices: *j\n`;
  const boundary = 'b';
  const parts = `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n`.repeat(200_000);
  return [
    bodyBomb('readings a million arrays deep', '/api/v1/readings', JSON_TYPE, '['.repeat(1_000_000)),
    bodyBomb(
      'readings closed again a quarter million deep',
      '/api/v1/readings',
      JSON_TYPE,
      `${'['.repeat(250_000)}1${']'.repeat(250_000)}`,
    ),
    bodyBomb(
      'an object a hundred thousand deep',
      '/api/v1/readings',
      JSON_TYPE,
      `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    ),
    bodyBomb(
      'a reading with a hundred thousand quantities',
      '/api/v1/readings',
      JSON_TYPE,
      `{"meter":"hall",${Array.from({ length: 60_000 }, (_, i) => `"q${i}":1`).join()}}`,
    ),
    bodyBomb(
      'a number of a million digits',
      '/api/v1/readings',
      JSON_TYPE,
      `{"meter":"hall","power_W":${'9'.repeat(900_000)}}`,
    ),
    bodyBomb(
      'a question a hundred thousand deep',
      '/api/v1/ask',
      JSON_TYPE,
      `{"question":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    ),
    bodyBomb(
      'a question of a million letters',
      '/api/v1/ask',
      JSON_TYPE,
      JSON.stringify({ question: 'grid fee '.repeat(100_000) }),
    ),
    bodyBomb('YAML that names itself nine times nine times', '/api/v1/devices.yaml', 'application/yaml', aliases),
    bodyBomb(
      'YAML a hundred thousand lists deep',
      '/api/v1/devices.yaml',
      'application/yaml',
      `devices: ${'['.repeat(100_000)}`,
    ),
    bodyBomb(
      'YAML of four million words',
      '/api/v1/devices.yaml',
      'application/yaml',
      `devices: ${'a '.repeat(3_900_000)}`,
    ),
    bodyBomb(
      'YAML of a million keys',
      '/api/v1/devices.yaml',
      'application/yaml',
      Array.from({ length: 600_000 }, (_, i) => `k${i}: 1`).join('\n'),
    ),
    bodyBomb(
      'a price table in one line',
      '/api/v1/prices/load?area=DE-LU',
      'text/csv',
      `at,price\n${'1'.repeat(19 * MB)}`,
    ),
    bodyBomb(
      'a price table of ten million lines',
      '/api/v1/prices/load?area=DE-LU',
      'text/csv',
      `at,price\n${'1\n'.repeat(9 * MB)}`,
    ),
    bodyBomb(
      'a form of 200,000 parts',
      '/api/v1/documents',
      `multipart/form-data; boundary=${boundary}`,
      `${parts}--${boundary}--\r\n`,
    ),
    bodyBomb(
      'a form whose part has a head of 20 MB',
      '/api/v1/documents',
      `multipart/form-data; boundary=${boundary}`,
      `--${boundary}\r\nX-A: ${'a'.repeat(20 * MB)}\r\n\r\n1\r\n--${boundary}--\r\n`,
    ),
    bodyBomb(
      'a form that never ends',
      '/api/v1/data/load',
      `multipart/form-data; boundary=${boundary}`,
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n${'1'.repeat(50 * MB)}`,
    ),
    bodyBomb(
      'a mapping a hundred thousand deep',
      `/api/v1/data/load?mapping=${'%5B'.repeat(4000)}`,
      'text/csv',
      'at,power_W\n',
    ),
  ];
}
