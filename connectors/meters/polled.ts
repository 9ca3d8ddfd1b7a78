/** What polling a device gives, over Modbus or HTTP alike, and what its source must be able to do. */

export type PolledReading = { channel: string; quantity: string; value: number; at_ms: number; raw: string };

export type Polled = {
  readings: PolledReading[];
  firmware: string | null;
  /** What the device would not give, in words, told once. */
  notes: string[];
};

/** A device that is asked. `open…Source` makes one; nothing is sent before `read`. */
export type PolledSource = {
  /** For people: `192.168.1.20:502 unit 3`. */
  readonly name: string;
  /** One round. Rejects UnavailableError, UnsupportedError or InvalidDataError, each in words. */
  read(signal: AbortSignal): Promise<Polled>;
  close(): Promise<void>;
};
