import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as sdk from "@grafana/grafana-foundation-sdk/dashboard";
import { SOURCE, builtPanel } from "./build-panel.ts";
import type { Language, Text } from "./language.ts";
import { text } from "./language.ts";
import type { Panel } from "./panel.ts";
import type { Measurement, Variable, Worded } from "./query.ts";
import { POLICIES, worded } from "./query.ts";

export interface Dashboard {
  /** Its uid is `vigie-{id}-{language}`. */
  readonly id: string;
  readonly title: Text;
  readonly description: Text;
  readonly from: string;
  readonly to?: string;
  /** Whose tags fill the variables of places; without it there are none. */
  readonly places?: Measurement;
  /** Which of them are asked for, where that is not zone and street. */
  readonly ask?: readonly Variable[];
  /** What a device is called here, where one can be chosen. */
  readonly device?: Text;
  /** Sums that only this dashboard does ask for what they are reckoned with. */
  readonly factors?: readonly Factor[];
  /** Whether charts can be read from roll-ups. */
  readonly policy?: true;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly title: Text;
  readonly panels: readonly Panel[];
}

export interface Factor {
  readonly name: string;
  readonly label: Text;
  readonly value: string;
}

/** Where a dashboard of this name is found, in links and alerts. */
export const uidOf = (id: string, language: Language): string => `vigie-${id}-${language}`;

/** One dashboard in one language: classic JSON, as files are provisioned from. */
export function builtDashboard(board: Dashboard, language: Language): sdk.Dashboard {
  const builder = new sdk.DashboardBuilder(board.title[language])
    .uid(uidOf(board.id, language))
    .description(board.description[language])
    .tags(["vigie", language])
    .timezone("browser")
    .time({ from: board.from, to: board.to ?? "now" })
    .refresh("1m")
    .tooltip(sdk.DashboardCursorSync.Crosshair)
    .readonly()
    .variables(variablesOf(board, language))
    .annotations(ANNOTATIONS.map((annotation) => annotated(annotation, language)))
    .links([
      new sdk.DashboardLinkBuilder(text("Other dashboards", "Autres tableaux")[language])
        .type(sdk.DashboardLinkType.Dashboards)
        .tags(["vigie", language])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
      new sdk.DashboardLinkBuilder(text("Vigie's console", "Console de Vigie")[language])
        .type(sdk.DashboardLinkType.Link)
        .url("$console")
        .targetBlank(true),
    ]);
  let id = 1;
  for (const row of board.rows) {
    builder.withRow(new sdk.RowBuilder(row.title[language]).id(id++));
    for (const panel of row.panels) builder.withPanel(builtPanel(panel, id++, language));
  }
  const built = builder.build();
  return { id: null, ...built, panels: laidOut(built.panels ?? []) };
}

const COLUMNS = 24;

/** Puts each panel as high and then as far to the left as it fits below those before it; a heading begins afresh below all. */
function laidOut<P extends { readonly type: string; gridPos?: sdk.GridPos }>(panels: readonly P[]): P[] {
  const tops = Array.from({ length: COLUMNS }, () => 0);
  return panels.map((panel) => {
    const heading = panel.type === "row";
    const { w = COLUMNS, h = 1 } = heading ? {} : (panel.gridPos ?? {});
    let best = { x: 0, y: Infinity };
    for (let x = 0; x + w <= COLUMNS; x++) {
      const y = Math.max(...tops.slice(x, x + w));
      if (y < best.y) best = { x, y };
    }
    tops.fill(best.y + h, best.x, best.x + w);
    return { ...panel, gridPos: { h, w, ...best } };
  });
}

function variablesOf(board: Dashboard, language: Language): Builder<sdk.VariableModel>[] {
  const { places, device } = board;
  const wide = (board.ask ?? ["zone", "street"]).filter((each) => each !== "device");
  const asked = (name: Variable, label: Text, narrowed: readonly Variable[]): Builder<sdk.VariableModel> => {
    const where = narrowed.map((each) => `"${each}" =~ /^$${each}$/`).join(" AND ");
    const query = `SHOW TAG VALUES FROM "${places}" WITH KEY = "${name}"${where === "" ? "" : ` WHERE ${where}`}`;
    return new sdk.QueryVariableBuilder(name)
      .label(label[language])
      .datasource(SOURCE)
      .query({ refId: `variable-${name}`, query })
      .definition(query)
      .refresh(sdk.VariableRefresh.OnTimeRangeChanged)
      .sort(sdk.VariableSort.NaturalAsc)
      .multi(true)
      .includeAll(true)
      .allValue(".*")
      .current({ selected: true, text: [ALL[language]], value: ["$__all"] });
  };
  return [
    ...(places === undefined
      ? []
      : [
          ...(wide.includes("zone") ? [asked("zone", text("Zone", "Zone"), [])] : []),
          ...(wide.includes("street") ? [asked("street", text("Street", "Rue"), ["zone"])] : []),
          ...(device === undefined ? [] : [asked("device", device, wide)]),
        ]),
    ...(board.policy === undefined ? [] : [policy(language)]),
    ...(board.factors ?? []).map((factor) =>
      new sdk.TextBoxVariableBuilder(factor.name)
        .label(factor.label[language])
        .defaultValue(factor.value)
        .current({ selected: true, text: factor.value, value: factor.value }),
    ),
    new sdk.TextBoxVariableBuilder("console")
      .label(text("Console's address", "Adresse de la console")[language])
      .hide(sdk.VariableHide.HideVariable)
      .defaultValue(CONSOLE)
      .current({ selected: true, text: CONSOLE, value: CONSOLE }),
  ];
}

const ALL = text("All", "Tous");
/** Where the console is, until it is written otherwise in the dashboard's settings. */
export const CONSOLE = "http://localhost:8080";

function policy(language: Language): Builder<sdk.VariableModel> {
  const names = text("readings as they came,by 15 minutes,by the hour", "mesures brutes,au quart d’heure,à l’heure")[
    language
  ].split(",");
  return new sdk.CustomVariableBuilder("policy")
    .label(text("Detail", "Finesse")[language])
    .values(POLICIES.map((value, index) => `${names[index]} : ${value}`).join(", "))
    .current({ selected: true, text: names[0] as string, value: POLICIES[0] });
}

interface Annotation {
  readonly name: Text;
  readonly colour: string;
  readonly on: boolean;
  readonly query: Worded;
  readonly tags: string;
  readonly end?: string;
}

const events = (from: Measurement, columns: readonly string[], where: readonly string[] = []): Worded =>
  worded((language) => ({
    columns: [`"text_${language}"`, ...columns],
    from,
    where,
    order: "newest first",
    limit: 200,
  }));

/** What happened, as marks over every chart. Decisions are many: they are off until someone asks. */
const ANNOTATIONS: readonly Annotation[] = [
  {
    name: text("Alarms", "Alarmes"),
    colour: "red",
    on: true,
    query: events("alarm", ['"severity"', '"key"'], [`"event" = 'opened'`]),
    tags: "severity,key",
  },
  {
    name: text("Overrides", "Dérogations"),
    colour: "orange",
    on: true,
    query: events("override", ['"until_ms"', '"scope"', '"id"'], [`"state" = 'active'`]),
    tags: "scope,id",
    end: "until_ms",
  },
  {
    name: text("Deployments", "Mises en service"),
    colour: "purple",
    on: true,
    query: events("deployment", ['"what"', '"name"']),
    tags: "what,name",
  },
  {
    name: text("Decisions", "Décisions"),
    colour: "blue",
    on: false,
    query: events("decision", ['"name"', '"subject"', '"mode"']),
    tags: "name,subject,mode",
  },
];

function annotated(
  { name, colour, on, query, tags, end }: Annotation,
  language: Language,
): Builder<sdk.AnnotationQuery> {
  return {
    build: () => ({
      ...new sdk.AnnotationQueryBuilder().name(name[language]).datasource(SOURCE).enable(on).iconColor(colour).build(),
      // What Grafana's editor of InfluxQL annotations writes.
      target: {
        refId: "Anno",
        query: query[language].influxql,
        rawQuery: true,
        fromAnnotations: true,
        textEditor: true,
        textColumn: `text_${language}`,
        tagsColumn: tags,
        ...(end !== undefined && { timeEndColumn: end }),
      } as never,
    }),
  };
}
