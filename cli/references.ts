import { KINDS, type Kind } from "#protocol/kinds.ts";
import { MAX_BATCH_READINGS, MAX_PAYLOAD_BYTES, MESSAGES } from "#protocol/messages.ts";
import { FAULTS } from "#protocol/faults.ts";
import { SERIES, type OwnSeries } from "#protocol/series.ts";
import { expected, SETTINGS, variableOf, type Setting } from "./settings.ts";
import { defaultOf } from "./verb.ts";

/** The pages of docs/ that are made from the code, by file name; a test holds the committed ones equal to these. */
export function references(): Map<string, string> {
  return new Map([
    ["docs/kinds.md", kindsPage()],
    ["docs/series.md", seriesPage()],
    ["docs/settings.md", settingsPage()],
    ["docs/faults.md", faultsPage()],
    ["docs/messages.schema.json", json(messageSchemas())],
    ["docs/asyncapi.json", json(asyncApi())],
  ]);
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

function kindsPage(): string {
  const kinds = Object.entries(KINDS as Record<string, Kind>).map(([name, kind]) =>
    [
      `## ${name}`,
      "",
      `${kind.en} · ${kind.fr}. TALQ: ${kind.talq}. FIWARE: ${kind.fiware}.`,
      "",
      table(
        ["measure", "what", "unit", "range", "class", "reported every", "or at a change over"],
        Object.entries(kind.measures).map(([measure, row]) => [
          `\`${measure}\``,
          `${row.en}${row.counter ? " (counter)" : ""}${row.names ? `: ${row.names.map((each, index) => `${index} ${each}`).join(", ")}` : ""}`,
          row.unit,
          `${row.min} to ${row.max}`,
          row.class,
          `${row.report.every_s} s`,
          row.report.gather_s === undefined
            ? String(row.report.change)
            : `${row.report.change} (within ${row.report.gather_s} s)`,
        ]),
      ),
      "",
      `Accepts: ${kind.accepts.length === 0 ? "nothing" : kind.accepts.map((each) => `\`${each}\``).join(", ")}. Without orders it ${kind.safe}.`,
    ].join("\n"),
  );
  return [
    "# Device kinds",
    "",
    "Made from `protocol/kinds.ts` by `npx vigie docs`. A measure is reported at least as often as its row says, and within a second, where no other time is given, when it moves by more than the change; a change of 0 means any.",
    "",
    kinds.join("\n\n"),
    "",
  ].join("\n");
}

function seriesPage(): string {
  const series = Object.entries(SERIES as Record<string, OwnSeries>).map(
    ([name, { en, fr, written, isFine, tags, fields }]) => {
      const tagged = Object.entries(tags).map(([tag, what]) => `\`${tag}\` (${what})`);
      return [
        `## ${name}`,
        "",
        `${en} · ${fr}. Written ${written}; kept as long as ${isFine ? "readings" : "sums of a quarter of an hour"}. Tags: ${tagged.length === 0 ? "none" : tagged.join(", ")}.`,
        "",
        table(
          ["field", "English", "French", "unit"],
          Object.entries(fields).map(([field, row]) => [`\`${field}\``, row.en, row.fr, row.unit]),
        ),
      ].join("\n");
    },
  );
  return [
    "# The server's own series",
    "",
    "Made from `protocol/series.ts` by `npx vigie docs`. What the server writes beside the readings ([kinds.md](kinds.md)), each a measurement of its name. A tag without a value is left out; texts are strings, instants milliseconds since 1970, all else floats.",
    "",
    series.join("\n\n"),
    "",
  ].join("\n");
}

function settingsPage(): string {
  const rows = Object.entries(SETTINGS as Record<string, Setting>).map(([name, setting]) => [
    `\`--${name}\``,
    `\`${variableOf(name)}\``,
    setting.en,
    expected(setting),
    defaultOf(setting),
  ]);
  return [
    "# Settings",
    "",
    "Made from `cli/settings.ts` by `npx vigie docs`. The same name serves on the command line, in the environment and in a settings file (JSON, named by `--settings`). The command line wins over the environment, the environment over the file, the file over the default. `npx vigie VERB --help` says which of them a verb takes.",
    "",
    table(["option", "environment", "what", "takes", "default"], rows),
    "",
  ].join("\n");
}

function faultsPage(): string {
  const rows = Object.entries(FAULTS).map(([code, { en, fr, status }]) => [`\`${code}\``, String(status), en, fr]);
  return [
    "# Faults",
    "",
    "Made from `protocol/faults.ts` by `npx vigie docs`. What the world can do to Vigie, and what Vigie says then.",
    "",
    table(["code", "HTTP", "English", "French"], rows),
    "",
  ].join("\n");
}

function messageSchemas(): object {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $defs: Object.fromEntries(Object.entries(MESSAGES).map(([name, shape]) => [name, shape.schema])),
  };
}

/** AsyncAPI 3: the topics, who speaks there and what is said. */
function asyncApi(): object {
  const message = (name: keyof typeof MESSAGES, contentType = "application/json") => ({
    name,
    contentType,
    payload: MESSAGES[name].schema,
  });
  const station = { description: "Identifier of the station" };
  const territory = { description: "Identifier of the territory" };
  const channel = (address: string, name: string, description: string) => ({
    address,
    description,
    parameters: address.includes("{station}")
      ? { territory, station }
      : { territory, street: { description: "Identifier of the street" } },
    messages: { [name]: { $ref: `#/components/messages/${name}` } },
  });
  const operation = (action: "send" | "receive", name: string, summary: string) => ({
    action,
    summary,
    channel: { $ref: `#/channels/${name}` },
  });
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Vigie: between the pole and the server",
      version: "1",
      description: `MQTT 3.1.1 or 5. No payload is larger than ${MAX_PAYLOAD_BYTES} bytes and no batch holds more than ${MAX_BATCH_READINGS} readings. Readings may also be columnar CBOR: map of e (epoch), a (after), n (first), D (device names), M (measure names), and the columns d, m (indexes), t (first time, then differences, ms) and v (values).`,
      license: { name: "Apache-2.0" },
    },
    channels: {
      readings: channel(
        "vigie/1/{territory}/{station}/up/readings",
        "batch",
        "Readings in the order of their numbers; acknowledged after they are committed.",
      ),
      applied: channel("vigie/1/{territory}/{station}/up/applied", "applied", "A station’s answer to a command."),
      status: channel("vigie/1/{territory}/{station}/up/status", "status", "Retained; the last will says offline."),
      command: channel(
        "vigie/1/{territory}/{station}/down/command",
        "command",
        "Signed, in sequence, expiring; repeated until answered.",
      ),
      receipt: channel(
        "vigie/1/{territory}/{station}/down/receipt",
        "receipt",
        "Committed up to this number: only this empties an outbox.",
      ),
      street: channel(
        "vigie/1/{territory}/street/{street}",
        "passing",
        "Someone is at this pole: neighbours light up, no server takes part.",
      ),
    },
    operations: {
      takeReadings: operation("receive", "readings", "The server takes readings"),
      takeAnswers: operation("receive", "applied", "The server takes answers"),
      takeStatus: operation("receive", "status", "The server learns who is there"),
      command: operation("send", "command", "The server tells a device what to do"),
      acknowledge: operation("send", "receipt", "The server says what is safe"),
    },
    components: {
      messages: {
        batch: message("batch"),
        applied: message("applied"),
        status: message("status"),
        command: message("command"),
        receipt: message("receipt"),
        passing: message("passing"),
      },
    },
  };
}
