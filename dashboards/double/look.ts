import type { Frame } from "./frames.ts";
import { framesOf } from "./frames.ts";
import type { DashboardFile, SourceFile } from "./provisioned.ts";
import type { Asked, HttpRequest, Looking } from "./requests.ts";
import { dashboardRequests, variableRequest } from "./requests.ts";

/** Sends a request to the data source's address and gives the body of the answer. */
export type Send = (request: HttpRequest) => Promise<string>;

export interface Answered {
  readonly asked: Asked;
  readonly frames: readonly Frame[];
}

/**
 * Opens a dashboard as a person does: asks its variables one after the other, chooses all, or the first `choose` of each,
 * (`chosen` names others by hand), and asks every panel and annotation. Raises an error that names the question when one is answered with an error.
 */
export async function lookAt(
  board: DashboardFile,
  source: SourceFile,
  send: Send,
  looking: Looking,
  choose: number | "all" = "all",
  chosen: Readonly<Record<string, string>> = {},
): Promise<Answered[]> {
  const answered: Answered[] = [];
  const values = new Map<string, string | readonly string[]>();
  for (const variable of board.templating.list) {
    const { current, query } = variable;
    values.set(variable.name, chosen[variable.name] ?? current?.value ?? (typeof query === "string" ? query : ""));
    const asked = variableRequest(variable, board, source, values, looking);
    if (asked === undefined) continue;
    const frames = await answer(asked, send);
    answered.push({ asked, frames });
    const options = frames.flatMap((frame) => frame.fields[0]?.values ?? []).map(String);
    if (choose !== "all") values.set(variable.name, options.slice(0, choose));
  }
  for (const asked of dashboardRequests(board, source, values, looking)) {
    answered.push({ asked, frames: await answer(asked, send) });
  }
  return answered;
}

export async function answer(asked: Asked, send: Send): Promise<Frame[]> {
  const body = await send(asked.request);
  try {
    return framesOf(asked, body);
  } catch (problem) {
    throw new Error(`${asked.where}: ${(problem as Error).message}: ${asked.influxql}`, { cause: problem });
  }
}
