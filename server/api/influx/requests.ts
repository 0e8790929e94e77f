import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { FastifyRequest } from "fastify";
import { EPOCHS } from "../../store/influxql/answers.ts";
import { type AnswerForm, InfluxError } from "../../store/influxql/engine.ts";

/** The largest body of a write, before and after decompression, and of a query: InfluxDB's own default. */
export const MAX_BODY_BYTES = 25_000_000;

const FORM = "application/x-www-form-urlencoded";

/** The parameters of a request by name; of those that are said twice the first counts. */
export type Parameters = ReadonlyMap<string, string>;

/** The parameters of a request, from the address and from a form in the body. The address wins where both say one. */
export function parametersOf({ url, headers }: FastifyRequest, body?: Buffer): Parameters {
  const found = new Map<string, string>();
  const query = url.indexOf("?");
  if (query >= 0) gather(url.slice(query + 1), found);
  if (body !== undefined && headers["content-type"]?.startsWith(FORM) === true) gather(body.toString("utf8"), found);
  return found;
}

/** As URLSearchParams reads a text, with fewer steps. */
function gather(text: string, found: Map<string, string>): void {
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    if (!found.has(name)) found.set(name, equals < 0 ? "" : decoded(pair.slice(equals + 1)));
  }
}

function decoded(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    // What is no UTF-8 is read as far as it can be.
    return new URLSearchParams(`=${text}`).get("") ?? "";
  }
}

/** Rows of a piece of a chunked answer that says nothing else, as InfluxDB has it. */
const CHUNK_ROWS = 10_000;

/** How the answer is wanted: `Accept`, `pretty`, `epoch`, `chunked` and `chunk_size`. An unit of time that is unknown is as none, as InfluxDB has it. */
export function formOf(request: FastifyRequest, parameters: Parameters): AnswerForm {
  const epoch = (parameters.get("epoch") ?? "").trim();
  const isKnown = Object.hasOwn(EPOCHS, epoch);
  const rows = Number(parameters.get("chunk_size") ?? "");
  return {
    csv: wantsCsv(request.headers.accept ?? ""),
    pretty: parameters.get("pretty") === "true",
    epoch_ns: isKnown ? EPOCHS[epoch as keyof typeof EPOCHS] : epoch === "" ? undefined : 1n,
    ...(parameters.get("chunked") === "true" && {
      chunk_rows: Number.isInteger(rows) && rows > 0 ? rows : CHUNK_ROWS,
    }),
  };
}

export const JSON_TYPE = "application/json; charset=utf-8";
export const contentTypeOf = (form: Pick<AnswerForm, "csv">): string => (form.csv ? "text/csv" : JSON_TYPE);

/** The first type of `Accept` that we write decides; JSON where there is none. */
function wantsCsv(accept: string): boolean {
  for (const each of accept.split(",")) {
    const type = each.split(";")[0]?.trim().toLowerCase();
    if (type === "application/csv" || type === "text/csv") return true;
    if (type === "*/*" || type === "application/*" || type === "application/json") return false;
  }
  return false;
}

/** Bound parameters; a number without a point is an integer. Raises InfluxError 400. */
export function boundParameters(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined || text === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text, (_, each: unknown, context?: { source?: string }) =>
      typeof each === "number" && context?.source !== undefined && !context.source.includes(".")
        ? integerOf(context.source)
        : each,
    );
  } catch (problem) {
    if (problem instanceof InfluxError) throw problem;
    throw new InfluxError(400, `error parsing query parameters: ${(problem as Error).message}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InfluxError(400, "error parsing query parameters: expected an object");
}

function integerOf(text: string): bigint {
  const refused = (why: string): InfluxError =>
    new InfluxError(400, `error parsing json value: strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^-?\d+$/.test(text)) throw refused("invalid syntax");
  const value = BigInt(text);
  if (BigInt.asIntN(64, value) !== value) throw refused("value out of range");
  return value;
}

const unzip = promisify(gunzip);

/** The body of a write, unpacked. Raises InfluxError 400 (not gzip) or 413 (too large). */
export async function unpacked(request: FastifyRequest, body: Buffer): Promise<Uint8Array> {
  if (request.headers["content-encoding"] !== "gzip") return body;
  try {
    return await unzip(body, { maxOutputLength: MAX_BODY_BYTES });
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new InfluxError(400, "gzip: invalid header");
  }
}

export const tooLarge = (): InfluxError => new InfluxError(413, "Request Entity Too Large");
