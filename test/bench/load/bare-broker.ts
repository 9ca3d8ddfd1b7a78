/** The yardstick: aedes that does nothing but group-commit each payload with fsync before its PUBACK. A process of its own. */
import { fdatasync, mkdtempSync, openSync, rmSync, writev } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';

const dir = mkdtempSync(join(tmpdir(), 'luna-bare-'));
const fd = openSync(join(dir, 'log'), 'w');
let payloads: Buffer[] = [];
let acknowledge: (() => void)[] = [];
let busy = false;

function commit(): void {
  busy = payloads.length > 0;
  if (!busy) return;
  const [bytes, acks] = [payloads, acknowledge];
  [payloads, acknowledge] = [[], []];
  writev(fd, bytes, (failed) => {
    if (failed) throw failed;
    fdatasync(fd, (unsynced) => {
      if (unsynced) throw unsynced;
      for (const ack of acks) ack();
      commit();
    });
  });
}

const broker = await Aedes.createBroker({
  authorizePublish(client, packet, done) {
    if (!client) return done(null);
    payloads.push(packet.payload as Buffer);
    acknowledge.push(() => done(null));
    if (busy) return;
    busy = true;
    setImmediate(commit);
  },
});
const server = createServer((socket) => {
  socket.setNoDelay(true);
  broker.handle(socket);
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => {
  rmSync(dir, { recursive: true, force: true });
  process.exit(0);
});
