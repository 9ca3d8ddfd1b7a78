/** Which requests bring the registers that are wanted: few, but never what a device refuses to give. Pure. */

export type FunctionCode = 3 | 4;

/** Registers that belong together; `group` keeps requests inside one SunSpec model. */
export type Wanted = { function: FunctionCode; address: number; length: number; group?: number };

export type ReadLimits = {
  max_registers: number;
  /** Unneeded registers between two wanted ones that may be read along. */
  max_gap: number;
  /** Ranges (ends included) that are never read. */
  forbidden: readonly (readonly [number, number])[];
};

export type ReadRequest = { function: FunctionCode; address: number; count: number; wanted: readonly Wanted[] };

/** @returns requests in the order of function and address that together cover everything in `wanted`. */
export function planReads(wanted: readonly Wanted[], limits: ReadLimits): ReadRequest[] {
  const sorted = [...wanted].sort((a, b) => a.function - b.function || a.address - b.address || a.length - b.length);
  const requests: { function: FunctionCode; address: number; count: number; wanted: Wanted[] }[] = [];
  for (const item of sorted) {
    const last = requests.at(-1);
    if (last && fits(last, item, limits)) {
      last.count = Math.max(last.count, item.address + item.length - last.address);
      last.wanted.push(item);
    } else requests.push({ function: item.function, address: item.address, count: item.length, wanted: [item] });
  }
  return requests;
}

function fits(request: ReadRequest, item: Wanted, limits: ReadLimits): boolean {
  const end = request.address + request.count;
  const itemEnd = item.address + item.length;
  return (
    request.function === item.function &&
    request.wanted[0]!.group === item.group &&
    item.address - end <= limits.max_gap &&
    itemEnd - request.address <= limits.max_registers &&
    !limits.forbidden.some(([from, to]) => from < item.address && to >= end)
  );
}
