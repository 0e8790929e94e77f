import type { DuckDBConnection } from "@duckdb/node-api";
import type { Describe } from "../describe.ts";
import { UNDESCRIBED } from "../influx-server.ts";

/** How a device is filed: measurement, and tags sorted by key. */
export interface Filing {
  readonly measurement: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** How each device is described, and was last described where the territory does not have it any more. */
export class Descriptions {
  readonly #connection: DuckDBConnection;
  readonly #describe: Describe;
  readonly #kept: Map<string, Filing>;
  /** Descriptions are written one after the other, behind what asks for them. */
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(connection: DuckDBConnection, describe: Describe, kept: Map<string, Filing>) {
    this.#connection = connection;
    this.#describe = describe;
    this.#kept = kept;
  }

  static async open(connection: DuckDBConnection, describe: Describe): Promise<Descriptions> {
    await connection.run("CREATE TABLE IF NOT EXISTS descriptions(device VARCHAR, measurement VARCHAR, tags VARCHAR)");
    const rows = await connection.runAndReadAll("SELECT device, measurement, tags FROM descriptions ORDER BY rowid");
    const kept = new Map<string, Filing>();
    for (const [device, measurement, tags] of rows.getRows()) {
      kept.set(device as string, {
        measurement: measurement as string,
        tags: JSON.parse(tags as string) as Filing["tags"],
      });
    }
    return new Descriptions(connection, describe, kept);
  }

  of(device: string): Filing {
    const known = this.#kept.get(device);
    const described = this.#describe(device);
    if (described === undefined) return known ?? { measurement: UNDESCRIBED, tags: [["device", device]] };
    const filing = { measurement: described.measurement, tags: Object.entries(described.tags) };
    if (JSON.stringify(known) !== JSON.stringify(filing)) {
      this.#kept.set(device, filing);
      const tags = JSON.stringify(filing.tags);
      this.#writing = this.#writing.then(() =>
        this.#connection.run("INSERT INTO descriptions VALUES ($1, $2, $3)", [device, filing.measurement, tags]),
      );
    }
    return filing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    this.#connection.closeSync();
  }
}
