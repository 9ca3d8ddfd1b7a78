/**
 * Rows of numbers or bytes in pages that never move: a large index grows without being copied, is written to a file
 * page by page, and is read again without unpacking. A row lies within one page; one that is longer gets its own.
 */
export type Cells = Uint8Array | Int8Array | Uint32Array | Int32Array | Float32Array;
type Make<Page extends Cells> = new (length: number) => Page;

export type Pages<Page extends Cells> = {
  /** @returns the address of the first cell */
  reserve(length: number): number;
  /** A view of the cells, not a copy. */
  at(address: number, length: number): Page;
  pageOf(address: number): Page;
  offsetOf(address: number): number;
  /** All pages with what is used of them, for a file. */
  used(): Page[];
  readonly bytes: number;
};

/** The first page is small: most tenants have few documents. */
const FIRST_SHARE = 16;

/** @param size cells of a page; `stored`: pages of a file, which are used as they are */
export function createPages<Page extends Cells>(
  make: Make<Page>,
  size: number,
  stored: readonly Page[] = [],
): Pages<Page> {
  const pages: Page[] = [...stored];
  const fill: number[] = stored.map((page) => page.length);
  let open = -1;

  return {
    reserve(length) {
      const page = pages[open];
      if (!page || (fill[open] ?? 0) + length > page.length) {
        const least = pages.length === 0 ? Math.ceil(size / FIRST_SHARE) : size;
        pages.push(new make(Math.max(least, length)));
        fill.push(0);
        open = pages.length - 1;
      }
      const offset = fill[open] ?? 0;
      fill[open] = offset + length;
      return open * size + offset;
    },
    at(address, length) {
      const offset = address % size;
      return pages[(address - offset) / size]?.subarray(offset, offset + length) as Page;
    },
    pageOf: (address) => pages[Math.floor(address / size)] as Page,
    offsetOf: (address) => address % size,
    used: () => pages.map((page, i) => page.subarray(0, fill[i]) as Page),
    get bytes() {
      return pages.reduce((sum, page) => sum + page.byteLength, 0);
    },
  };
}

/** A row of 32-bit integers that grows at its end. */
export type Column = {
  readonly length: number;
  push(value: number): void;
  get(index: number): number;
  set(index: number, value: number): void;
  /** What is used, not a copy; void after the next push. */
  view(): Int32Array;
};

export function createColumn(stored: Int32Array = new Int32Array(0)): Column {
  let cells = stored;
  let length = stored.length;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === cells.length) {
        const larger = new Int32Array(Math.max(64, Math.ceil(length * 1.5)));
        larger.set(cells);
        cells = larger;
      }
      cells[length] = value;
      length += 1;
    },
    get: (index) => cells[index] ?? 0,
    set(index, value) {
      cells[index] = value;
    },
    view: () => cells.subarray(0, length),
  };
}
