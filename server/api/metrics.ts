import type { FastifyInstance, FastifyRequest } from "fastify";
import { Fault } from "#protocol/faults.ts";
import { createHistogram } from "../histogram.ts";
import type { ApiContext, RunningServer } from "./context.ts";
import { notReady } from "./context.ts";
import { callerOf } from "./entrance.ts";
import type { Family } from "./prometheus.ts";
import { counter, exposition, gauge } from "./prometheus.ts";

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
    if (holder.parts === undefined) throw notReady();
    const failing = holder.parts.ingest.stats().failing;
    if (failing !== undefined) throw new Fault("STORE_FAILED", { problem: failing.problem });
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
        samples: [...answers].map(([status, value]) => ({ labels: { status }, value })),
      },
      quantiles("vigie_api_seconds", "Time to answer a request to the API", {
        p50: durations.quantile(0.5),
        p99: durations.quantile(0.99),
      }),
      gauge("vigie_event_streams", "Open event streams", context.stream.clients()),
      ...(holder.parts === undefined ? [] : townFamilies(holder.parts)),
    ];
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(exposition(families));
  });
}

function townFamilies({
  ingest,
  registry,
  dispatch,
  loop,
  alarms,
  overrides,
  journal,
  access,
}: RunningServer): Family[] {
  const taken = ingest.stats();
  const sent = dispatch.stats();
  const town = registry.stats();
  const made = loop.stats();
  const people = access.stats();
  return [
    counter("vigie_readings_stored_total", "Readings committed since the start", taken.accepted),
    counter("vigie_readings_duplicate_total", "Readings that came again and were dropped", taken.duplicates),
    counter("vigie_batches_early_total", "Batches that came before the readings they follow", taken.early),
    counter("vigie_commits_total", "Commits of the time-series store", taken.commits),
    gauge("vigie_readings_waiting", "Readings that wait for their commit", taken.waiting),
    quantiles("vigie_commit_seconds", "Time of a commit", taken.commit_ms),
    quantiles("vigie_acknowledge_seconds", "Time from a message to its acknowledgement", taken.acknowledge_ms),
    {
      name: "vigie_quarantined_total",
      help: "What was put aside as wrong, by code of fault",
      type: "counter",
      samples: Object.entries(taken.quarantinedBy).map(([code, value]) => ({ labels: { code }, value })),
    },
    gauge("vigie_store_failing", "1 while the time-series store does not commit", taken.failing === undefined ? 0 : 1),
    gauge("vigie_devices", "Devices of the territory", town.devices),
    gauge("vigie_stations", "Stations of the territory", town.stations),
    gauge("vigie_stations_online", "Stations that are connected", town.online),
    counter("vigie_commands_sent_total", "Commands published, repeats included", sent.sent),
    counter("vigie_commands_repeated_total", "Commands published again", sent.repeated),
    counter("vigie_commands_applied_total", "Commands that devices applied", sent.applied),
    counter("vigie_commands_refused_total", "Commands that devices refused", sent.refused),
    counter("vigie_commands_expired_total", "Commands that expired unanswered", sent.expired),
    gauge("vigie_commands_waiting", "Commands without an answer", sent.waiting),
    counter("vigie_decisions_total", "Decisions since the start", made.decisions),
    counter("vigie_decisions_failed_total", "Decisions that could not be made", made.failures),
    gauge("vigie_journal_entries", "Entries of the decision journal", journal.count()),
    {
      name: "vigie_alarms",
      help: "Alarms by state",
      type: "gauge",
      samples: Object.entries(alarms.stats()).map(([state, value]) => ({ labels: { state }, value })),
    },
    gauge("vigie_overrides_active", "Overrides that hold now", overrides.active().length),
    gauge("vigie_sessions", "People signed in", people.sessions),
    counter("vigie_sign_ins_failed_total", "Sign-ins that were refused", people.failures),
  ];
}

const quantiles = (name: string, help: string, { p50, p99 }: { p50: number; p99: number }): Family => ({
  name,
  help,
  type: "gauge",
  samples: [
    { labels: { quantile: "0.5" }, value: p50 / 1000 },
    { labels: { quantile: "0.99" }, value: p99 / 1000 },
  ],
});

/** A collector on this machine needs no key; one behind a proxy, or elsewhere, does. */
function isNeighbour({ socket, headers }: FastifyRequest): boolean {
  const from = socket.remoteAddress ?? "";
  const loopback = from === "127.0.0.1" || from === "::1" || from === "::ffff:127.0.0.1";
  return loopback && headers["x-forwarded-for"] === undefined && headers.forwarded === undefined;
}
