import type { Values } from "./interpolate.ts";
import { interpolate } from "./interpolate.ts";
import { intervalOf, intervalText, parsedInterval, parsedTime } from "./interval.ts";
import type { DashboardFile, PanelFile, RuleFile, SourceFile, TargetFile, VariableFile } from "./provisioned.ts";

/** One question that Grafana would send, and what it was for. */
export interface Asked {
  readonly kind: "panel" | "variable" | "annotation" | "alert";
  /** `vigie-town-fr / Panel / A`. */
  readonly where: string;
  readonly influxql: string;
  readonly format: "time_series" | "table";
  readonly alias: string;
  readonly from: number;
  readonly to: number;
  readonly interval_ms: number;
  readonly request: HttpRequest;
  readonly panel?: PanelFile;
  readonly target?: TargetFile;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** Path and query, to be put behind the data source's address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** When and how somebody looks: the moment, the day's offset to UTC, the width of the page in pixels. */
export interface Looking {
  readonly now: number;
  readonly offset_ms: number;
  readonly width_px: number;
}

/** Every question of a dashboard for these values: panels and annotations; variables are asked before, one after the other. */
export function dashboardRequests(board: DashboardFile, source: SourceFile, values: Values, looking: Looking): Asked[] {
  const { now, offset_ms, width_px } = looking;
  const [from, to] = [board.time.from, board.time.to].map((text) => parsedTime(text, now, offset_ms)) as [
    number,
    number,
  ];
  const variables = board.templating.list;
  const put = (text: string): string => interpolate(text, variables, values);
  const panels = board.panels.flatMap((panel) => {
    const points = Math.max(1, Math.floor((panel.gridPos.w / 24) * width_px));
    const interval_ms = intervalOf(to - from, points, parsedInterval(panel.interval ?? source.jsonData.timeInterval));
    return (panel.targets ?? []).map((target): Asked => {
      const influxql = backend(put(target.query), from, to, interval_ms);
      return {
        kind: "panel",
        where: `${board.uid} / ${panel.title} / ${target.refId}`,
        influxql,
        format: target.resultFormat ?? "time_series",
        alias: put(target.alias ?? ""),
        from,
        to,
        interval_ms,
        request: httpRequest(influxql, source, put(target.policy ?? "")),
        panel,
        target,
      };
    });
  });
  const interval_ms = intervalOf(to - from, width_px, parsedInterval(source.jsonData.timeInterval));
  const annotations = (board.annotations.list ?? []).flatMap((annotation): Asked[] => {
    if (annotation.target === undefined) return [];
    const influxql = backend(put(annotation.target.query), from, to, interval_ms);
    return [
      {
        kind: "annotation",
        where: `${board.uid} / ${annotation.name}`,
        influxql,
        format: "table",
        alias: "",
        from,
        to,
        interval_ms,
        request: httpRequest(influxql, source),
      },
    ];
  });
  return [...panels, ...annotations];
}

/** The question whose answers a variable offers; undefined for one that asks nothing. */
export function variableRequest(
  variable: VariableFile,
  board: DashboardFile,
  source: SourceFile,
  values: Values,
  looking: Looking,
): Asked | undefined {
  if (variable.type !== "query") return undefined;
  const [from, to] = [board.time.from, board.time.to].map((text) =>
    parsedTime(text, looking.now, looking.offset_ms),
  ) as [number, number];
  const text = typeof variable.query === "string" ? variable.query : variable.query.query;
  const interval_ms = intervalOf(to - from, looking.width_px, parsedInterval(source.jsonData.timeInterval));
  const influxql = backend(interpolate(text, board.templating.list, values), from, to, interval_ms);
  return {
    kind: "variable",
    where: `${board.uid} / $${variable.name}`,
    influxql,
    format: "time_series",
    alias: "",
    from,
    to,
    interval_ms,
    request: httpRequest(influxql, source),
  };
}

/** The question of an alert rule, as its scheduler asks it at `now`. */
export function alertRequests(rules: readonly RuleFile[], source: SourceFile, now: number): Asked[] {
  return rules.flatMap((rule) =>
    rule.data
      .filter((query) => query.datasourceUid === source.uid)
      .map(({ refId, model, relativeTimeRange }): Asked => {
        const [from, to] = [now - relativeTimeRange.from * 1000, now - relativeTimeRange.to * 1000];
        const interval_ms = Number(model["intervalMs"] ?? 1000);
        const influxql = backend(String(model["query"]), from, to, interval_ms);
        return {
          kind: "alert",
          where: `${rule.uid} / ${refId}`,
          influxql,
          format: model["resultFormat"] === "table" ? "table" : "time_series",
          alias: "",
          from,
          to,
          interval_ms,
          request: httpRequest(influxql, source),
        };
      }),
  );
}

/** What Grafana's backend still puts in: the time, and the interval in four spellings, in this order. */
function backend(query: string, from: number, to: number, interval_ms: number): string {
  const interval = intervalText(interval_ms);
  return query
    .replaceAll("$timeFilter", () => `time >= ${from}ms and time <= ${to}ms`)
    .replaceAll("$interval", interval)
    .replaceAll("$__interval_ms", String(interval_ms))
    .replaceAll("$__interval", interval);
}

/** The very request: database and epoch in the address, the query in a form (POST) or beside them (GET). */
function httpRequest(influxql: string, source: SourceFile, policy = ""): HttpRequest {
  const { dbName, httpMode } = source.jsonData;
  const address = new URLSearchParams({ db: dbName, epoch: "ms" });
  if (policy !== "" && policy !== "default") address.set("rp", policy);
  if (httpMode === "GET") {
    address.set("q", influxql);
    address.sort();
    return { method: "GET", path: `/query?${address}`, headers: {} };
  }
  return {
    method: "POST",
    path: `/query?${address}`,
    headers: { "Content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ q: influxql }).toString(),
  };
}
