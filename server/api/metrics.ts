import type { FastifyInstance, FastifyRequest } from "fastify";
import { Fault } from "#protocol/faults.ts";
import { createHistogram } from "../histogram.ts";
import type { ApiContext, RunningServer } from "./context.ts";
import { notReady } from "./context.ts";
import { callerOf } from "./entrance.ts";
import type { Family, Sample } from "./prometheus.ts";
import { exposition, gauge } from "./prometheus.ts";

/** /metrics for Prometheus, /healthz (the process answers) and /readyz (the town is served and readings are stored). */
export function serveMetrics(app: FastifyInstance, context: ApiContext): void {
  const { holder, wall } = context;
  const startedAt = wall.now();
  const answers = new Map<string, number>();
  const durations = createHistogram();
  app.addHook("onResponse", async (request, reply) => {
    const status = `${Math.floor(reply.statusCode / 100)}xx`;
    answers.set(status, (answers.get(status) ?? 0) + 1);
    if (request.url.startsWith("/api/")) durations.record(reply.elapsedTime);
  });

  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));

  app.get("/readyz", { schema: { hide: true } }, async () => {
    if (holder.parts === undefined) throw notReady(holder);
    const failing = holder.parts.ingest.stats().failing;
    if (failing !== undefined) throw failing.fault;
    return { status: "ok" };
  });

  app.get("/metrics", { schema: { hide: true } }, async (request, reply) => {
    if (!isNeighbour(request) && callerOf(request, context) === undefined) throw new Fault("NOT_SIGNED_IN", {});
    const families: Family[] = [
      gauge("vigie_ready", "1 when history is laid down and the town is served", holder.parts === undefined ? 0 : 1),
      gauge("vigie_uptime_seconds", "Seconds since the server started", (wall.now() - startedAt) / 1000),
      gauge("process_resident_memory_bytes", "Resident memory", process.memoryUsage.rss()),
      {
        name: "vigie_http_answers_total",
        help: "Answers over HTTP by class of status",
        type: "counter",
        samples: by("status", Object.fromEntries(answers)),
      },
      {
        name: "vigie_api_seconds",
        help: "Time to answer a request to the API",
        type: "gauge",
        samples: quantiles({ p50: durations.quantile(0.5), p99: durations.quantile(0.99) }),
      },
      gauge("vigie_event_streams", "Open event streams", context.stream.clients()),
      ...(holder.parts === undefined ? [] : townFamilies(holder.parts)),
    ];
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(exposition(families));
  });
}

/** What a running town counts: name, help, and its value or samples. A name that ends in _total only grows. */
function townFamilies(parts: RunningServer): Family[] {
  const { overrides, journal } = parts;
  const taken = parts.ingest.stats();
  const sent = parts.dispatch.stats();
  const town = parts.registry.stats();
  const made = parts.loop.stats();
  const people = parts.access.stats();
  const { answered } = parts.store.influx ?? {};
  const rows: readonly (readonly [name: string, help: string, value: number | readonly Sample[]])[] = [
    ["readings_stored_total", "Readings committed since the start", taken.accepted],
    ["readings_duplicate_total", "Readings that came again and were dropped", taken.duplicates],
    ["batches_early_total", "Batches that came before the readings they follow", taken.early],
    ["commits_total", "Commits of the time-series store", taken.commits],
    ["readings_waiting", "Readings that wait for their commit", taken.waiting],
    ["commit_seconds", "Time of a commit", quantiles(taken.commit_ms)],
    ["acknowledge_seconds", "Time from a message to its acknowledgement", quantiles(taken.acknowledge_ms)],
    ["quarantined_total", "What was put aside as wrong, by code of fault", by("code", taken.quarantinedBy)],
    ["store_failing", "1 while the time-series store does not commit", taken.failing === undefined ? 0 : 1],
    ["devices", "Devices of the territory", town.devices],
    ["stations", "Stations of the territory", town.stations],
    ["stations_online", "Stations that are connected", town.online],
    ["commands_sent_total", "Commands published, repeats included", sent.sent],
    ["commands_repeated_total", "Commands published again", sent.repeated],
    ["commands_applied_total", "Commands that devices applied", sent.applied],
    ["commands_refused_total", "Commands that devices refused", sent.refused],
    ["commands_expired_total", "Commands that expired unanswered", sent.expired],
    ["commands_waiting", "Commands without an answer", sent.waiting],
    ["decisions_total", "Decisions since the start", made.decisions],
    ["decisions_failed_total", "Decisions that could not be made", made.failures],
    ["journal_entries", "Entries of the decision journal", journal.count()],
    ["alarms", "Alarms by state", by("state", parts.alarms.stats())],
    ["overrides_active", "Overrides that hold now", overrides.active().length],
    ["influxql_answered_total", "Questions in InfluxQL, by what answered them", by("from", { ...answered })],
    ["sessions", "People signed in", people.sessions],
    ["sign_ins_failed_total", "Sign-ins that were refused", people.failures],
  ];
  return rows.map(([name, help, value]) => ({
    name: `vigie_${name}`,
    help,
    type: name.endsWith("_total") ? "counter" : "gauge",
    samples: typeof value === "number" ? [{ value }] : value,
  }));
}

const by = (label: string, counts: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));

const quantiles = ({ p50, p99 }: { p50: number; p99: number }): Sample[] => [
  { labels: { quantile: "0.5" }, value: p50 / 1000 },
  { labels: { quantile: "0.99" }, value: p99 / 1000 },
];

/** A collector on this machine needs no key; one behind a proxy, or elsewhere, does. */
function isNeighbour({ socket, headers }: FastifyRequest): boolean {
  const from = socket.remoteAddress ?? "";
  const loopback = from === "127.0.0.1" || from === "::1" || from === "::ffff:127.0.0.1";
  return loopback && headers["x-forwarded-for"] === undefined && headers.forwarded === undefined;
}
