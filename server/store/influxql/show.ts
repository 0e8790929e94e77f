import type { Show } from "./ast.ts";
import type { Catalogue } from "./catalogue.ts";
import { InfluxError, type ResultSeries } from "./engine.ts";

/** Answers SHOW from the catalogue alone. Raises InfluxError. */
export function show(statement: Show, catalogue: Catalogue, database: string | undefined): ResultSeries[] {
  void catalogue;
  void database;
  throw new InfluxError(400, `SHOW ${statement.what.toUpperCase()} is not supported`);
}
