/**
 * The demo site as a process of its own: a Modbus server, MQTT devices and a price server, fed by one generator. The
 * box starts it and talks to it over stdin and stdout (protocol.ts); it ends with the box, when stdin closes.
 */
import { createInterface } from 'node:readline';
import { addDays, dayStart, HOUR_MS, SLOT_MS } from '../../engine/model/time.ts';
import { createDemoSite, DEMO_ZONE, type DemoSite } from './generator.ts';
import { faultsOf, historyBatches } from './history.ts';
import { type ModbusServer, openModbusServer } from './modbus-server.ts';
import { type MqttDevices, openMqttDevices } from './mqtt-devices.ts';
import { openPriceServer, type PriceServer } from './price-server.ts';
import { DEMO_AREA, type DemoCommand, type DemoReport } from './protocol.ts';
import type { MarketTruth } from './shapes/market-truth.ts';

/** Tomorrow's prices come out then, local time of the market. */
const PUBLISHED_MS = 12.75 * HOUR_MS;

type Running = { site: DemoSite; started_ms: number; modbus: ModbusServer; prices: PriceServer };
let running: Running | undefined;
let devices: MqttDevices | undefined;
const now = () => Date.now();

async function tell(report: DemoReport): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(report)}\n`))
    await new Promise((resolve) => process.stdout.once('drain', resolve));
}

function marketOf(site: DemoSite): MarketTruth {
  const published = () => {
    const today = dayStart(now(), DEMO_ZONE);
    return addDays(today, now() - today >= PUBLISHED_MS ? 2 : 1, DEMO_ZONE);
  };
  return {
    price: (area, market, slot_ms) =>
      area === DEMO_AREA && market === 'day-ahead' && slot_ms < published() ? site.price_EUR_MWh(slot_ms) : undefined,
    step_ms: () => SLOT_MS,
  };
}

async function handle(command: DemoCommand): Promise<void> {
  if (command.kind === 'open') {
    const site = createDemoSite(command.seed);
    const { reset_ms } = faultsOf(command.started_ms);
    const modbus = await openModbusServer({ site, now, reset_ms, port: command.modbus_port });
    const serving = { truth: marketOf(site), now, sky: site.sky };
    const prices = await openPriceServer({ ...serving, port: command.price_port }).catch(() =>
      openPriceServer(serving),
    );
    running = { site, started_ms: command.started_ms, modbus, prices };
    return tell({ kind: 'ready', modbus_port: modbus.port, price_port: prices.port, urls: prices.urls });
  }
  if (!running) throw new Error('`open` comes first');
  const { site, started_ms } = running;
  const faults = faultsOf(started_ms);
  if (command.kind === 'mqtt') {
    await devices?.close();
    devices = await openMqttDevices({ ...command, site, now, reset_ms: faults.reset_ms });
    return tell({ kind: 'publishing' });
  }
  const total = Math.ceil((command.to_ms - command.from_ms) / (24 * HOUR_MS));
  let done = 0;
  for (const readings of historyBatches(site, command.from_ms, command.to_ms, faults))
    await tell({ kind: 'readings', readings, done: ++done, total });
  return tell({ kind: 'history-end' });
}

const lines = createInterface({ input: process.stdin });
let before: Promise<void> = Promise.resolve();
lines.on('line', (line) => {
  before = before
    .then(() => handle(JSON.parse(line) as DemoCommand))
    .catch((error: Error) => tell({ kind: 'failed', text: error.message }));
});
lines.on('close', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
