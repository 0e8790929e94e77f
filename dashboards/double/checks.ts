import type { Frame } from "./frames.ts";
import type { DashboardFile, PanelFile, RuleFile, SourceFile } from "./provisioned.ts";
import type { Asked } from "./requests.ts";

/** Units of Grafana's that the dashboards use; `suffix:` takes any text. */
const UNITS = new Set(
  "kwatth currencyEUR percentunit short none string s ms h d bytes celsius lengthkm masskg bool_yes_no".split(" "),
);

/** What is wrong with the files alone, each as a sentence; `things` are the ids of devices, streets and zones of a town. */
export function faultsOfFiles(
  boards: readonly DashboardFile[],
  rules: readonly RuleFile[],
  source: SourceFile,
  things: ReadonlySet<string>,
): string[] {
  const faults: string[] = [];
  const uids = [...boards.map((board) => board.uid), ...rules.map((rule) => rule.uid), source.uid];
  for (const uid of uids) if (uids.indexOf(uid) !== uids.lastIndexOf(uid)) faults.push(`${uid} is there twice`);
  for (const board of boards) {
    const say = (what: string): number => faults.push(`${board.uid}: ${what}`);
    if (board.id !== null) say(`it has an id of some Grafana, ${board.id}`);
    if (board.schemaVersion !== 42) say(`its schema is ${board.schemaVersion}`);
    const ids = board.panels.map((panel) => panel.id);
    if (new Set(ids).size !== ids.length) say("two panels have one id");
    for (const panel of board.panels) {
      if (panel.type === "row") continue;
      for (const fault of faultsOfPanel(panel, source)) say(`${panel.title}: ${fault}`);
      for (const other of board.panels) if (other !== panel && overlap(panel, other)) say(`${panel.title} overlaps`);
    }
    const queries = [
      ...board.panels.flatMap((panel) => panel.targets ?? []).map((target) => target.query),
      ...(board.annotations.list ?? []).map((annotation) => annotation.target?.query ?? ""),
    ];
    for (const query of queries) {
      const named = [...query.matchAll(/'([^']*)'/g)].map((match) => match[1] as string);
      for (const name of named) if (things.has(name)) say(`${name} of one town is written into ${query}`);
    }
  }
  return faults;
}

function faultsOfPanel({ description, fieldConfig, targets = [], gridPos }: PanelFile, source: SourceFile): string[] {
  const faults: string[] = [];
  const unit = fieldConfig?.defaults.unit ?? "";
  if ((description ?? "") === "") faults.push("no description");
  if (unit === "") faults.push("no unit");
  else if (!UNITS.has(unit) && !unit.startsWith("suffix:")) faults.push(`Grafana has no unit ${unit}`);
  if ((fieldConfig?.defaults.thresholds?.steps.length ?? 0) === 0) faults.push("no thresholds");
  if (targets.length === 0) faults.push("no query");
  if (gridPos.x + gridPos.w > 24) faults.push("it leaves the page");
  for (const { refId, datasource, rawQuery } of targets) {
    if (datasource.uid !== source.uid || datasource.type !== source.type) faults.push(`${refId} asks another source`);
    if (!rawQuery) faults.push(`${refId} is no text`);
  }
  return faults;
}

function overlap({ gridPos: a }: PanelFile, { gridPos: b }: PanelFile): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** Whether nothing is a good answer to this question: where the panel says so, and where marks tell of trouble. */
export const mayBeEmpty = ({ kind, panel }: Pick<Asked, "kind" | "panel">): boolean =>
  kind === "annotation" || panel?.fieldConfig?.defaults.noValue !== undefined;

/** What is wrong with an answer, each as a sentence. */
export function faultsOfAnswer(asked: Asked, frames: readonly Frame[]): string[] {
  const faults: string[] = [];
  const rows = frames.reduce((sum, frame) => sum + (frame.fields[0]?.values.length ?? 0), 0);
  const said = frames.some((frame) =>
    frame.fields.some((field) => field.type !== "time" && field.values.some((value) => value !== null)),
  );
  if ((rows === 0 || !said) && !mayBeEmpty(asked)) faults.push(`nothing comes: ${asked.influxql}`);
  // A step begins before what falls into it, by at most the step.
  const earliest = asked.from - Math.max(asked.interval_ms, STEP_MS);
  if (asked.influxql.includes("time >= ")) {
    const times = frames.flatMap((frame) => frame.fields.filter((field) => field.type === "time"));
    const outside = times.flatMap((field) => field.values).find((at) => Number(at) < earliest || Number(at) > asked.to);
    if (outside !== undefined) faults.push(`${outside} lies outside of ${asked.from} to ${asked.to}`);
  }
  return faults.map((fault) => `${asked.where}: ${fault}`);
}

/** The longest step that a query writes itself. */
const STEP_MS = 3_600_000;
