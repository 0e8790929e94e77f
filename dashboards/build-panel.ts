import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import * as bargauge from "@grafana/grafana-foundation-sdk/bargauge";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as geomap from "@grafana/grafana-foundation-sdk/geomap";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";
import * as tables from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import type { Language, Text } from "./language.ts";
import { text } from "./language.ts";
import type { Column, Levels, Link, Panel, View } from "./panel.ts";
import type { Query } from "./query.ts";
import { influxql } from "./query.ts";

/** The provisioned data source: whatever speaks InfluxQL stands behind this name. */
export const SOURCE = { type: "influxdb", uid: "vigie" } as const;
const COLOURS = { good: "green", attention: "orange", bad: "red", plain: "blue" } as const;

/** One panel in one language, as Grafana's own builders write it. */
export function builtPanel(panel: Panel, id: number, language: Language): Builder<dashboard.Panel> {
  const builder = drawn(panel, language);
  const [width, height] = panel.size;
  builder
    .id(id)
    .title(panel.title[language])
    .description(panel.description[language])
    .datasource(SOURCE)
    .span(width)
    .height(height)
    .unit(panel.unit)
    .thresholds(thresholds(panel.levels))
    .targets(targetsOf(panel, language).map((query, index) => target(query, index, language)));
  if (panel.min !== undefined) builder.min(panel.min);
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  if (panel.interval !== undefined) builder.interval(panel.interval);
  if (panel.nothing !== undefined) builder.noValue(panel.nothing[language]);
  if (panel.link !== undefined) builder.dataLinks([consoleLink(panel.link, panel.view, language)]);
  if (panel.names !== undefined) builder.mappings([named(panel.names.map((name) => name[language]))]);
  if (panel.view.kind === "map") builder.transformations(joined(panel.view.value));
  for (const [name, column] of Object.entries(columnsOf(panel))) {
    builder.overrideByName(name, properties(column, language));
  }
  if (panel.view.kind === "lines" && panel.view.band !== undefined) {
    const [below, above] = panel.view.band;
    builder.overrideByName(above[language], [
      { id: "custom.fillBelowTo", value: below[language] },
      { id: "custom.fillOpacity", value: 25 },
    ]);
  }
  return builder;
}

/** Tags and times are called the same in every table. */
const TITLES: Readonly<Record<string, Text>> = {
  Time: text("Time", "Heure"),
  device: text("Device", "Appareil"),
  street: text("Street", "Rue"),
  zone: text("Zone", "Zone"),
  station: text("Station", "Station"),
  stream: text("Stream", "Flux"),
  group: text("Group", "Groupe"),
  vehicle: text("Vehicle", "Camion"),
  mode: text("Mode", "Mode"),
};

/** A panel's own columns, and in a table the names of tags that one of its queries asks for. */
function columnsOf({ view, columns = {}, queries }: Panel): Readonly<Record<string, Column>> {
  if (view.kind !== "table") return columns;
  const asked = queries.flatMap((query) => ("influxql" in query ? query.influxql : query.en.influxql)).join(" ");
  const titled = Object.entries(TITLES)
    .filter(([name]) => name === "Time" || asked.includes(`"${name}"`))
    .map(([name, title]) => [name, { title, ...columns[name] }] as const);
  return { ...columns, ...Object.fromEntries(titled) };
}

/** What all of Grafana's panel builders can be told. */
interface PanelBuilder extends Builder<dashboard.Panel> {
  id(id: number): this;
  title(title: string): this;
  description(description: string): this;
  datasource(source: common.DataSourceRef): this;
  span(columns: number): this;
  height(rows: number): this;
  unit(unit: string): this;
  min(min: number): this;
  max(max: number): this;
  decimals(decimals: number): this;
  interval(interval: string): this;
  noValue(text: string): this;
  thresholds(thresholds: Builder<dashboard.ThresholdsConfig>): this;
  targets(targets: Builder<Dataquery>[]): this;
  dataLinks(links: Builder<dashboard.DashboardLink>[]): this;
  mappings(mappings: dashboard.ValueMapping[]): this;
  transformations(transformations: dashboard.DataTransformerConfig[]): this;
  overrideByName(name: string, properties: dashboard.DynamicConfigValue[]): this;
}

function drawn({ view, columns = {} }: Panel, language: Language): PanelBuilder {
  switch (view.kind) {
    case "figure":
      return new stat.PanelBuilder()
        .reduceOptions(reduced(view.of))
        .colorMode(common.BigValueColorMode.Value)
        .graphMode(common.BigValueGraphMode.Area)
        .colorScheme(colour(dashboard.FieldColorModeId.Thresholds));
    case "lines": {
      const lines = overTime()
        .drawStyle(common.GraphDrawStyle.Line)
        .lineWidth(2)
        .fillOpacity(view.stacked ? 40 : 0);
      return view.stacked ? lines.stacking(stacked()) : lines.spanNulls(true);
    }
    case "bars":
      return overTime().drawStyle(common.GraphDrawStyle.Bars).fillOpacity(80).lineWidth(0).stacking(stacked());
    case "points":
      return overTime().drawStyle(common.GraphDrawStyle.Points).pointSize(4);
    case "ranking":
      return new bargauge.PanelBuilder()
        .reduceOptions(reduced(view.of))
        .orientation(common.VizOrientation.Horizontal)
        .displayMode(common.BarGaugeDisplayMode.Basic)
        .colorScheme(colour(dashboard.FieldColorModeId.Thresholds));
    case "table": {
      const made = new tables.PanelBuilder().filterable(true);
      return view.sort === undefined
        ? made
        : made.sortBy([
            new common.TableSortByFieldStateBuilder()
              .displayName(columns[view.sort]?.title?.[language] ?? view.sort)
              .desc(true),
          ]);
    }
    case "map":
      return map(view.value, language);
    case "states":
      return new statetimeline.PanelBuilder()
        .mergeValues(true)
        .fillOpacity(70)
        .rowHeight(0.9)
        .colorScheme(colour(dashboard.FieldColorModeId.Thresholds));
  }
}

const overTime = (): timeseries.PanelBuilder =>
  new timeseries.PanelBuilder()
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    )
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed))
    .colorScheme(colour(dashboard.FieldColorModeId.PaletteClassicByName));

const colour = (mode: dashboard.FieldColorModeId): dashboard.FieldColorBuilder =>
  new dashboard.FieldColorBuilder().mode(mode);
const stacked = (): common.StackingConfigBuilder =>
  new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A");
const reduced = (of: string): common.ReduceDataOptionsBuilder =>
  new common.ReduceDataOptionsBuilder()
    .calcs([of === "last" ? "lastNotNull" : of])
    .values(false)
    .fields("");

function map(value: string, language: Language): geomap.PanelBuilder {
  return new geomap.PanelBuilder()
    .colorScheme(colour(dashboard.FieldColorModeId.Thresholds))
    .view(new geomap.MapViewConfigBuilder().id(geomap.MapCenterID.Fit).allLayers(true).zoom(15).padding(10))
    .basemap({ build: () => ({ type: "default", name: language === "fr" ? "Fond de carte" : "Base map" }) })
    .tooltip(new geomap.TooltipOptionsBuilder().mode(geomap.TooltipMode.Details))
    .layers([
      {
        build: () => ({
          type: "markers",
          name: value,
          tooltip: true,
          location: { mode: common.FrameGeometrySourceMode.Coords, latitude: "lat", longitude: "lon" },
          config: {
            showLegend: true,
            style: {
              color: { field: value, fixed: COLOURS.plain },
              size: { fixed: 6, min: 2, max: 15 },
              opacity: 0.8,
              symbol: { mode: "fixed", fixed: "img/icons/marker/circle.svg" },
            },
          },
        }),
      },
    ]);
}

/** A map has the values in one query and the places in another; they meet at the device. */
const joined = (value: string): dashboard.DataTransformerConfig[] => [
  { id: "joinByField", options: { byField: "device", mode: "inner" } },
  {
    id: "filterFieldsByName",
    options: { include: { names: ["device", "street", value, "lat", "lon"] } },
  },
];

function targetsOf({ view, queries }: Panel, language: Language): readonly Query[] {
  const said = queries.map((query) => ("influxql" in query ? query : query[language]));
  return view.kind === "map" ? [...said, PLACES] : said;
}

const PLACES: Query = {
  influxql: influxql({
    columns: ['last("lat") AS "lat"', 'last("lon") AS "lon"'],
    from: "place",
    place: ["zone", "street"],
    time: "any",
    by: ["device"],
  }),
  format: "table",
};

const target = (query: Query, index: number, language: Language): Builder<Dataquery> => ({
  build: () =>
    ({
      refId: String.fromCharCode(65 + index),
      datasource: SOURCE,
      query: query.influxql,
      rawQuery: true,
      resultFormat: query.format,
      ...(query.alias !== undefined && {
        alias: typeof query.alias === "string" ? query.alias : query.alias[language],
      }),
    }) as unknown as Dataquery,
});

export function thresholds({ better, attention, bad }: Levels): Builder<dashboard.ThresholdsConfig> {
  const steps =
    better === "lower"
      ? [step(null, "good"), step(attention, "attention"), step(bad, "bad")]
      : better === "higher"
        ? [step(null, "bad"), step(bad, "attention"), step(attention, "good")]
        : [step(null, "plain")];
  return new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps);
}

const step = (value: number | null | undefined, meaning: keyof typeof COLOURS): dashboard.Threshold => ({
  value: value ?? null,
  color: COLOURS[meaning],
});

const named = (names: readonly string[]): dashboard.ValueMapping => ({
  type: dashboard.MappingType.ValueToText,
  options: Object.fromEntries(names.map((text, index) => [String(index), { text, index }])),
});

function properties({ unit, title, hidden, levels }: Column, language: Language): dashboard.DynamicConfigValue[] {
  return [
    ...(unit === undefined ? [] : [{ id: "unit", value: unit }]),
    ...(title === undefined ? [] : [{ id: "displayName", value: title[language] }]),
    ...(hidden === undefined ? [] : [{ id: "custom.hidden", value: true }]),
    ...(levels === undefined
      ? []
      : [
          { id: "thresholds", value: thresholds(levels).build() },
          { id: "custom.cellOptions", value: { type: "color-text" } },
        ]),
  ];
}

/** A row knows its columns, a series only its tags. */
function consoleLink(link: Link, view: View, language: Language): Builder<dashboard.DashboardLink> {
  const column = (name: string): string =>
    view.kind === "table" || view.kind === "map" ? `\${__data.fields.${name}}` : `\${__field.labels.${name}}`;
  const path =
    "why" in link
      ? `/?why=${column(link.why)}`
      : "decision" in link
        ? `/decisions/${column(link.decision)}`
        : `/${link.view}`;
  return new dashboard.DashboardLinkBuilder(language === "fr" ? "Ouvrir dans Vigie" : "Open in Vigie")
    .url(`\${console}${path}`)
    .targetBlank(true);
}
