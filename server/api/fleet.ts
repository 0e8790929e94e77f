import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import { Fault } from "#protocol/faults.ts";
import type { Quarantined } from "../quarantine.ts";
import type { StationTwin } from "../registry.ts";
import type { ApiContext } from "./context.ts";
import { languageOf, sentenceOf } from "./language.ts";
import { cursorOf, notACursor, pageIn, placeOf, USUAL_PAGE } from "./pages.ts";
import { Fleet, Id, Paging, QuarantineEntry, StationHealth, pageOf } from "./resources.ts";
import { orUnknown } from "./unknown.ts";

/** /fleet: the stations and what holds them together; /quarantine: what was said and could not be believed. */
export const fleet =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { territory } = context;

    app.get(
      "/fleet",
      {
        schema: {
          tags: ["fleet"],
          summary: "Stations, with totals over all of them",
          querystring: Type.Object({
            online: Type.Optional(Type.Boolean()),
            q: Type.Optional(Type.String({ maxLength: 64 })),
            ...Paging,
          }),
          response: { 200: Fleet },
        },
      },
      async ({ query }) => {
        const { registry, store, ingest } = context.parts();
        const all = [...registry.stations()];
        const part = query.q?.toLowerCase() ?? "";
        const asked = all.filter(
          ({ id, online }) => (query.online ?? online) === online && id.toLowerCase().includes(part),
        );
        const size = await orUnknown(store.size(), context.wall);
        const live = all.filter((station) => station.online).length;
        const sum = (of: (station: StationTwin) => number | undefined): number =>
          all.reduce((total, station) => total + (of(station) ?? 0), 0);
        return {
          at: context.clock.now(),
          ...pageIn(asked, query, (station) => station.id, healthOf),
          totals: {
            stations: all.length,
            live,
            silent: all.length - live,
            waiting: sum((station) => station.waiting),
            dropped: sum((station) => station.dropped),
            readingsStored: size?.readings ?? null,
            storeSize_B: size?.bytes ?? null,
            quarantined: ingest.stats().quarantined,
          },
        };
      },
    );

    app.get(
      "/fleet/:id",
      {
        schema: {
          tags: ["fleet"],
          summary: "One station",
          params: Type.Object({ id: Id }),
          response: { 200: StationHealth },
        },
      },
      async ({ params: { id } }) => {
        const station = context.parts().registry.station(id);
        if (station === undefined) throw new Fault("STATION_UNKNOWN", { station: id });
        return healthOf(station);
      },
    );

    app.get(
      "/quarantine",
      {
        schema: {
          tags: ["fleet"],
          summary: "What was put aside, newest first, with the reason and the beginning of what was said",
          querystring: Type.Object({
            station: Type.Optional(Id),
            code: Type.Optional(Type.String({ maxLength: 64 })),
            ...Paging,
          }),
          response: { 200: pageOf(QuarantineEntry) },
        },
      },
      async ({ query, headers }) => {
        const language = languageOf(headers["accept-language"]);
        const { ingest } = context.parts();
        const newest = ingest.quarantine();
        // Entries are numbered from the first ever put aside, so that a cursor stands still while new ones come.
        const total = ingest.stats().quarantined;
        const numbered = newest.map((entry, index) => ({ entry, number: total - index }));
        const below = query.cursor === undefined ? Number.POSITIVE_INFINITY : Number(placeOf(query.cursor));
        if (Number.isNaN(below)) throw notACursor(query.cursor ?? "");
        const limit = query.limit ?? USUAL_PAGE;
        const found = numbered.filter(
          ({ entry, number }) =>
            number < below &&
            (query.station === undefined || entry.station === query.station) &&
            (query.code === undefined || entry.code === query.code),
        );
        const last = found[limit - 1];
        return {
          entries: found.slice(0, limit).map(({ entry }) => quarantineOf(entry, sentenceOf(entry.fault, language))),
          next: last !== undefined && found.length > limit ? cursorOf(last.number) : null,
        };
      },
    );

    function healthOf(station: StationTwin): StationHealth {
      const devices = territory.byStation.get(station.id) ?? [];
      return {
        station: station.id,
        devices: devices.length,
        kinds: [...new Set(devices.map(({ kind }) => kind))],
        online: station.online,
        since: station.since ?? null,
        lastSeen: station.lastSeen ?? null,
        clockError_s: station.clockError_s ?? null,
        waiting: station.waiting ?? null,
        dropped: station.dropped ?? null,
        version: station.version ?? null,
      };
    }
  };

function quarantineOf({ at, station, code, fault, payload }: Quarantined, reason: string): QuarantineEntry {
  const bytes = Buffer.from(payload);
  return {
    at,
    station,
    code,
    reason,
    facts: { ...fault.facts },
    payload_base64: bytes.toString("base64"),
    text: printable(bytes),
  };
}

/** The bytes as text where they are text; what was cut in the middle of a character still is. */
function printable(bytes: Buffer): string | null {
  const text = bytes.toString("utf8").replace(/\uFFFD$/, "");
  return /^[\t\n\r\u0020-\u007E\u00A0-\uFFFC]*$/.test(text) ? text : null;
}
