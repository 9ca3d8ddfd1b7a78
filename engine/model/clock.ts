/** Where the box has its time from. */
export interface Clock {
  now(): number;
  /** Milliseconds that only count, since the machine started; without it nothing tells a jump of `now`. */
  monotonic?(): number;
  /** Names this start of the machine. */
  boot?: string;
  /** Whether the machine has a clock that goes on while it is off. */
  hardware?: boolean;
}
