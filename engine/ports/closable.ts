/** Something that `assemble` opened and `lifecycle` closes. */
export interface Closable {
  close(): Promise<void>;
}
