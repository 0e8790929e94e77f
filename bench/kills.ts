import { kills, negativeControl } from "./ingest.ts";
import type { Row } from "./row.ts";

const TIMES = 100;

/** What a kill -9 under load costs: nothing that was acknowledged. The control shows that a loss would be found. */
export const run = async (): Promise<Row[]> => [...(await kills(TIMES)), await negativeControl()];
