import type { Select, Statement } from "./ast.ts";
import type { Catalogue } from "./catalogue.ts";
import { InfluxError, type QueryOptions, type ResultSeries, type StatementResult } from "./engine.ts";
import { parse } from "./parse.ts";
import { type RetentionPolicy, show } from "./show.ts";

/** The one database that there is. */
export const DATABASE = "vigie";
const POLICIES: readonly RetentionPolicy[] = [
  { name: "raw", duration: "2160h0m0s", isDefault: true },
  { name: "quarter", duration: "43800h0m0s", isDefault: false },
  { name: "hour", duration: "0s", isDefault: false },
];
/** The default policy, and the name that it has in an InfluxDB where nobody chose one. */
export const RAW: ReadonlySet<string> = new Set(["raw", "autogen"]);

/** What answers statements: names, and SELECTs over one policy. */
export interface Answering {
  readonly catalogue: Catalogue;
  keeps(policy: string): boolean;
  select(select: Select, policy: string): Promise<ResultSeries[]>;
}

/** Runs a text of one or more statements. Raises InfluxError where it does not parse; what is wrong in a statement is its result. */
export async function runText(text: string, options: QueryOptions, answering: Answering): Promise<StatementResult[]> {
  const statements = parse(text, options.parameters);
  const results: StatementResult[] = [];
  for (const [statement, each] of statements.entries()) {
    try {
      results.push({ statement, series: await run(each, options, answering) });
    } catch (problem) {
      if (!(problem instanceof InfluxError)) throw problem;
      results.push({ statement, series: [], error: problem.message });
      // InfluxDB does not go on after an error.
      for (let rest = statement + 1; rest < statements.length; rest++) {
        results.push({ statement: rest, series: [], error: "not executed" });
      }
      break;
    }
  }
  return results;
}

async function run(statement: Statement, options: QueryOptions, answering: Answering): Promise<ResultSeries[]> {
  switch (statement.kind) {
    case "select": {
      if (statement.into !== undefined) {
        throw new InfluxError(400, "INTO is not supported: this server computes what it keeps by itself");
      }
      const policies = new Set<string>();
      requirePlaces(statement, options, answering, policies);
      if (policies.size > 1) throw new InfluxError(400, "a statement reads one retention policy: ask twice");
      const [policy = "raw"] = policies;
      return answering.select(statement, policy);
    }
    case "show":
      return show(statement, {
        catalogue: answering.catalogue,
        database: options.database,
        databases: [DATABASE],
        policies: POLICIES,
        now_ns: options.now_ns,
      });
    case "refused":
      // Clients make sure of their database before they write: ours is there.
      if (statement.what === "CREATE DATABASE" && statement.database === DATABASE) return [];
      throw new InfluxError(400, `${statement.what} is not supported: this server looks after its data by itself`);
  }
}

/** Every database and policy that a SELECT names must be one that there is; gathers the policies. */
function requirePlaces(select: Select, options: QueryOptions, answering: Answering, policies: Set<string>): void {
  for (const source of select.from) {
    if (source.kind === "subquery") {
      requirePlaces(source.select, options, answering, policies);
      continue;
    }
    const database = source.database ?? options.database ?? "";
    if (database === "") throw new InfluxError(400, "database name required");
    if (database !== DATABASE) throw new InfluxError(404, `database not found: ${database}`);
    const policy = source.retention ?? options.retention ?? "";
    const isRaw = policy === "" || RAW.has(policy);
    if (!isRaw && !answering.keeps(policy)) throw new InfluxError(404, `retention policy not found: ${policy}`);
    policies.add(isRaw ? "raw" : policy);
  }
}
