import type { ServerResponse } from "node:http";
import type { Cancel, Clock } from "#protocol/ports.ts";
import { type Instant, seconds } from "#protocol/units.ts";
import { InfluxError, type QueryLimits, type QueryOptions } from "../../store/influxql/engine.ts";

/** What a question is asked with; its time runs from here on, whether it waits for its turn or is answered. */
export class Question implements QueryOptions {
  readonly database?: string;
  readonly retention?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly now_ns: bigint;
  readonly limits: QueryLimits;
  readonly #response: ServerResponse;
  readonly #wall: Clock;
  readonly #begun: Instant;
  #ending: AbortController | undefined;
  #cancel: Cancel | undefined;

  constructor(asked: Omit<QueryOptions, "signal">, response: ServerResponse, wall: Clock) {
    if (asked.database !== undefined) this.database = asked.database;
    if (asked.retention !== undefined) this.retention = asked.retention;
    if (asked.parameters !== undefined) this.parameters = asked.parameters;
    this.now_ns = asked.now_ns;
    this.limits = asked.limits;
    this.#response = response;
    this.#wall = wall;
    this.#begun = wall.now();
  }

  /** Made for who first asks for it: most questions are answered before anybody could end them. */
  get signal(): AbortSignal {
    this.#ending ??= this.#watch();
    return this.#ending.signal;
  }

  #watch(): AbortController {
    const ending = new AbortController();
    const { time_ms } = this.limits;
    const left_ms = time_ms - (this.#wall.now() - this.#begun);
    const timeout = (): void => ending.abort(new InfluxError(500, `query timeout: it took more than ${time_ms} ms`));
    if (left_ms > 0) this.#cancel = this.#wall.after(seconds(left_ms / 1000), timeout);
    else timeout();
    const response = this.#response;
    const gone = (): void => {
      if (!response.writableEnded) ending.abort();
    };
    if (response.destroyed) gone();
    else response.once("close", gone);
    return ending;
  }

  /** Its time runs no longer. */
  end(): void {
    this.#cancel?.();
  }
}
