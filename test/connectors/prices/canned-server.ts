/** Answers every call with the same hand-written text, and keeps what was asked. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type CannedServer = { url: string; asked: string[]; answer(text: string, status?: number): void; close(): void };

export async function openCannedServer(): Promise<CannedServer> {
  let [body, code] = ['', 200];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(code, { 'content-type': 'text/plain' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer(text, status = 200) {
      [body, code] = [text, status];
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
