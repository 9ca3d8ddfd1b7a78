/** A server that speaks as Ollama does, or fails as the test says; it notes what it was asked and when it was left. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Asked = { path: string; body: Record<string, unknown>; left_ms: number | null };
export type Scene = (response: ServerResponse, asked: Asked, request: IncomingMessage) => void | Promise<void>;
export type ScriptedOllama = {
  url: string;
  asked: Asked[];
  /** What `/api/chat` does from now on; `/api/pull` where it is named. */
  play(scene: Scene, path?: string): void;
  close(): Promise<void>;
};

export const MODEL = 'scripted:1b';
const DIGEST = 'd1'.repeat(32);

export async function openScriptedOllama(): Promise<ScriptedOllama> {
  const asked: Asked[] = [];
  const scenes = new Map<string, Scene>([
    ['/api/tags', (response) => json(response, { models: [{ name: MODEL, model: MODEL, digest: DIGEST }] })],
    ['/api/version', (response) => json(response, { version: '0.24.0' })],
  ]);
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString('utf8');
    const one: Asked = { path: request.url ?? '', body: text ? JSON.parse(text) : {}, left_ms: null };
    asked.push(one);
    response.on('close', () => {
      if (!response.writableFinished) one.left_ms = performance.now();
    });
    const scene = scenes.get(one.path);
    if (!scene) return json(response, { error: `no scene for ${one.path}` }, 404);
    await scene(response, one, request);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    play: (scene, path = '/api/chat') => void scenes.set(path, scene),
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}

export function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
}
export function piece(content: string): string {
  return `${JSON.stringify({ model: MODEL, message: { role: 'assistant', content }, done: false })}\n`;
}
export function last(done_reason = 'stop'): string {
  const counts = { prompt_eval_count: 11, eval_count: 7 };
  return `${JSON.stringify({ model: MODEL, message: { role: 'assistant', content: '' }, done: true, done_reason, ...counts })}\n`;
}
/** The content in pieces of a few signs. */
export const says =
  (content: string, size = 5): Scene =>
  (response) => {
    begin(response);
    for (let at = 0; at < content.length; at += size) response.write(piece(content.slice(at, at + size)));
    response.end(last());
  };
