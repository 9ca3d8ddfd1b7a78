/** The package ships no types. */
declare module 'aedes-persistence-level' {
  import type { ClassicLevel } from 'classic-level';
  /** A persistence for `Aedes.createBroker`. */
  export default function levelPersistence(db: ClassicLevel<string, Buffer>): object;
}
