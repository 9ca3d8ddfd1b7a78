/** Which models an Ollama server holds in memory now (GET /api/ps). */
import { UnavailableError } from '../../../engine/errors.ts';
import type { HttpFetch } from '../../../engine/ports.ts';

export type LoadedModel = { name: string; bytes: number };
const DEADLINE_MS = 3000;

/** @throws UnavailableError where it does not answer as an Ollama does */
export async function readLoaded(url: string, fetch: HttpFetch): Promise<LoadedModel[]> {
  try {
    const answer = await fetch(new URL('/api/ps', url).href, { signal: AbortSignal.timeout(DEADLINE_MS) });
    const { models } = JSON.parse(await answer.text()) as { models: { name: string; size?: number }[] };
    return models.map(({ name, size }) => ({ name: String(name), bytes: Number(size ?? 0) }));
  } catch (cause) {
    throw new UnavailableError(`Ollama does not say what it has loaded (${(cause as Error).message}).`, 'Is it up?', {
      cause,
    });
  }
}
