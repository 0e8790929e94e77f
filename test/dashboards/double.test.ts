import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faultsOfAnswer, faultsOfFiles } from "../../dashboards/double/checks.ts";
import { differences } from "../../dashboards/double/compare.ts";
import { drawnDashboard } from "../../dashboards/double/draw.ts";
import type { Answered, Send } from "../../dashboards/double/look.ts";
import { answer, lookAt } from "../../dashboards/double/look.ts";
import type { SourceFile } from "../../dashboards/double/provisioned.ts";
import { alertRequests, type Looking } from "../../dashboards/double/requests.ts";
import { openBrowser } from "../console/browser.ts";
import { smaller } from "../console/smaller.ts";
import { influxdPath, startInfluxd, type Influxd } from "../influxd.ts";
import { type Day, rehearsedDay, TO } from "./day.ts";
import { fill, sendTo } from "./filled.ts";
import { board, BOARDS, rules, source } from "./provisioned.ts";
import { serve, type Served } from "./served.ts";

/** VIGIE_PICTURES=1 writes the pictures of the documentation anew, which takes a Chromium. */
const WRITING = process.env["VIGIE_PICTURES"] === "1";
const PICTURES = join(import.meta.dirname, "../../docs/pictures/grafana");
const LANGUAGES = ["fr", "en"] as const;
const ALL = LANGUAGES.flatMap((language) => BOARDS.map((id) => ({ language, id })));
const WIDTH_PX = 1600;
/** Someone in the town looks at the end of the day, an hour ahead of UTC. */
const LOOKING: Looking = { now: TO, offset_ms: 3_600_000, width_px: WIDTH_PX };

test("files: unique uids, no ids of one Grafana, a unit, a description and thresholds on every panel", async () => {
  const { devices, byStation, streets, zones } = (await day()).territory;
  const things = new Set([...devices.keys(), ...byStation.keys(), ...[...streets, ...zones].map(({ id }) => id)]);
  const boards = ALL.map(({ language, id }) => board(language, id));
  expect(faultsOfFiles(boards, rules("fr"), source(), things)).toEqual([]);
});

test("both languages ask the same of the same panels in the same places", () => {
  const bare = (language: "fr" | "en", id: string) =>
    board(language, id).panels.map(({ type, gridPos, targets = [] }) => ({
      type,
      gridPos,
      queries: targets.map((target) => target.query.replaceAll(/text_(en|fr)/g, "text")),
    }));
  for (const id of BOARDS) expect(bare("fr", id)).toEqual(bare("en", id));
});

describe.skipIf(influxdPath === undefined)("after a rehearsed day, InfluxDB", () => {
  let influxd: Influxd;
  let served: Served;
  let send: Send;
  let sendOwn: Send;
  const looked = new Map<string, readonly Answered[]>();
  beforeAll(async () => {
    const town = await day();
    [influxd, served] = await Promise.all([startInfluxd(), serve(town, TO)]);
    send = sendTo(influxd.url);
    sendOwn = sendTo(served.url, served.key);
    await fill(influxd.url, town);
  }, 120_000);
  afterAll(async () => {
    await influxd?.stop();
    await served?.stop();
  });

  test.each(ALL)(
    "answers every panel and variable of $id in $language: not empty, inside the time",
    async ({ language, id }) => {
      const answered = await lookAt(board(language, id), source(), send, LOOKING);
      looked.set(`${id}-${language}`, answered);
      expect(answered.flatMap(({ asked, frames }) => faultsOfAnswer(asked, frames))).toEqual([]);
    },
  );

  test.each(BOARDS)("answers %s when only two of each variable are chosen", async (id) => {
    for (const { asked, frames } of await lookAt(board("fr", id), source(), send, LOOKING, 2)) {
      expect(faultsOfAnswer(asked, frames).filter((fault) => !fault.includes("nothing comes"))).toEqual([]);
    }
  });

  const rolled = (["quarter", "hour"] as const).flatMap((policy) =>
    (["lighting", "waste", "traffic"] as const).map((id) => ({ policy, id })),
  );
  test.each(rolled)(
    "answers $id from what is summed up by the $policy, as the embedded store does",
    async ({ policy, id }) => {
      const answered = await lookAt(board("fr", id), source(), send, LOOKING, "all", { policy });
      const asked = answered.filter((each) => each.asked.influxql.includes(`"${policy}".`));
      expect(asked.length).toBeGreaterThan(1);
      expect(asked.flatMap((each) => faultsOfAnswer(each.asked, each.frames))).toEqual([]);
      expect(
        differences(answered, await lookAt(board("fr", id), source(), sendOwn, LOOKING, "all", { policy })),
      ).toEqual([]);
    },
  );

  test("answers the same however it is asked, by GET or by POST", async () => {
    const byGet: SourceFile = { ...source(), jsonData: { ...source().jsonData, httpMode: "GET" } };
    for (const id of BOARDS) {
      const post = await lookAt(board("fr", id), source(), send, LOOKING);
      expect(differences(post, await lookAt(board("fr", id), byGet, send, LOOKING))).toEqual([]);
    }
  });

  test("answers every alert rule, and only silence that is good is silent", async () => {
    for (const language of LANGUAGES) {
      for (const asked of alertRequests(rules(language), source(), TO)) {
        const rule = rules(language).find(({ uid }) => asked.where.startsWith(`${uid} /`));
        if (rule?.noDataState === "OK") continue;
        expect(faultsOfAnswer(asked, await answer(asked, send))).toEqual([]);
      }
    }
  });

  test("gives each kind of mark its text, when one looks back far enough", async () => {
    const whole = { ...board("fr", "town"), time: { from: "now-34h", to: "now" } };
    const marks = (await lookAt(whole, source(), send, LOOKING)).filter(({ asked }) => asked.kind === "annotation");
    expect(marks).toHaveLength(4);
    for (const { asked, frames } of marks) {
      const text = frames[0]?.fields.find((field) => field.name === "text_fr");
      expect(text?.values[0], asked.where).toMatch(/\w/);
    }
  });

  test.each(BOARDS)("answers every panel, variable and mark of %s as the embedded store does", async (id) => {
    for (const choose of ["all", 2] as const) {
      const one = await lookAt(board("fr", id), source(), send, LOOKING, choose);
      const other = await lookAt(board("fr", id), source(), sendOwn, LOOKING, choose);
      expect(differences(one, other)).toEqual([]);
    }
  });

  test("answers every alert rule as the embedded store does", async () => {
    const asked = alertRequests(rules("fr"), source(), TO);
    const by = (which: Send) =>
      Promise.all(asked.map(async (each) => ({ asked: each, frames: await answer(each, which) })));
    expect(differences(await by(send), await by(sendOwn))).toEqual([]);
  });

  test("fills drawings of every dashboard; each is kept as a picture of 250 kB at most", async () => {
    const drawings = ALL.map(({ language, id }) => ({
      file: join(PICTURES, `${id}-${language}.png`),
      svg: drawnDashboard(board(language, id), looked.get(`${id}-${language}`) ?? [], WIDTH_PX),
    }));
    for (const { file, svg } of drawings) expect(svg, file).not.toContain(">No data<");
    if (WRITING) await picture(drawings);
    expect(drawings.filter(({ file }) => !existsSync(file) || statSync(file).size > 250_000)).toEqual([]);
  }, 300_000);
});

async function picture(drawings: readonly { readonly file: string; readonly svg: string }[]): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  const browser = await openBrowser();
  const [page, blank] = [
    await browser.newPage({ viewport: { width: WIDTH_PX, height: 900 } }),
    await browser.newPage(),
  ];
  for (const { file, svg } of drawings) {
    await page.setContent(`<body style="margin:0">${svg}</body>`);
    writeFileSync(file, await smaller(blank, await page.locator("svg").screenshot()));
  }
  await browser.close();
}

let made: Promise<Day> | undefined;
function day(): Promise<Day> {
  made ??= rehearsedDay();
  return made;
}
