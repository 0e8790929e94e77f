import type { Clock, Disk } from "#protocol/ports.ts";
import type { Retention } from "../keeping.ts";
import type { Describe } from "./describe.ts";
import type { Store } from "./store.ts";

/** Where the readings of a town are kept. */
export type StoreAddress =
  | {
      readonly kind: "duckdb";
      readonly file: string;
      /** What DuckDB may hold in memory, and what is held of the newest values for dashboards. */
      readonly memory_MB?: number;
      readonly recent_MB?: number;
    }
  /** With a disk its commits are logged, and are there again after a restart. */
  | { readonly kind: "memory"; readonly disk?: Disk }
  | {
      readonly kind: "influx1";
      readonly url: string;
      readonly database: string;
      readonly user?: string;
      readonly password?: string;
    }
  | {
      readonly kind: "influx2";
      readonly url: string;
      readonly org: string;
      readonly bucket: string;
      readonly token?: string;
    };

/**
 * The store at an address, not opened yet. A database elsewhere is told how long to keep what, if that is given. What one driver needs is loaded only for it: no server carries the clients of the others.
 */
export async function storeAt(
  address: StoreAddress,
  town: { readonly describe: Describe; readonly clock: Clock; readonly retention?: Retention },
): Promise<Store> {
  switch (address.kind) {
    case "duckdb":
      return (await import("./duckdb.ts")).duckdbStore(address.file, { ...address, describe: town.describe });
    case "memory":
      return (await import("./memory.ts")).memoryStore(address);
    case "influx1":
      return (await import("./influx1.ts")).influx1Store({ ...address, ...town });
    case "influx2":
      return (await import("./influx2.ts")).influx2Store({ ...address, ...town });
  }
}
