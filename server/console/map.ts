import { h } from "preact";
import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { GeoJSONSource, Map as Atlas, MapMouseEvent } from "maplibre-gl";
import type { RoundDetail, Town } from "../api/resources.ts";
import { useCell } from "./cell.ts";
import { percent } from "./format.ts";
import { language, say, sayNamed } from "./language.ts";
import { createLight } from "./light.ts";
import type { Light } from "./light.ts";
import { fillStep, mapImages } from "./mapImages.ts";
import { mapStyle, NIGHT, PAPER } from "./mapStyle.ts";
import type { Features } from "./mapStyle.ts";
import { called, places } from "./places.ts";
import { after } from "./pageClock.ts";
import { ask, go, here } from "./route.ts";
import { alarms, containers, junctions, lamps, wanting, watchLamps, ways } from "./state.ts";
import { createStopNumbers } from "./stopNumbers.ts";
import type { StopNumbers } from "./stopNumbers.ts";
import { createWalk } from "./walk.ts";
import type { Walk } from "./walk.ts";
import { LAMP_RULES } from "#protocol/kinds.ts";

/** A finger or a pointer this near to a thing means it, in pixels. */
const NEAR_px = 14;
/** Who comes by a link to one of these opens the map at it, some streets around. */
const POINTS: ReadonlySet<string> = new Set(["luminaire", "junction", "container"]);
const CLOSE = 16.8;
/** Who waits this long at a junction is near the bound: it comes forward on the map. */
const LONG_WAIT_s = 90;
/** Room for what lies over the map: the tabs above, the legend below. */
const MARGIN_px = { top: 60, bottom: 84, left: 40, right: 40 };
const FONT = "Inter, Segoe UI, Noto Sans, Liberation Sans, sans-serif";

/** The town from above. Everything here is also in the list; what is chosen in one is chosen in the other. */
export function TownMap(props: { readonly town: Town }): ComponentChild {
  const canvas = useRef<HTMLDivElement>(null);
  const label = useRef<HTMLDivElement>(null);
  const [failed, fail] = useState(false);
  const spoken = useCell(language);
  const [atlas, setAtlas] = useState<Atlas | undefined>(undefined);

  useEffect(() => {
    let gone = false;
    let end = (): void => {};
    const begin = async (): Promise<void> => {
      try {
        const drawing = await draw(canvas.current as HTMLElement, label.current as HTMLElement, props.town);
        end = drawing.remove;
        if (gone) end();
        else setAtlas(drawing.atlas);
      } catch (problem) {
        console.error(problem);
        fail(true);
      }
    };
    void begin();
    return () => {
      gone = true;
      end();
    };
  }, [props.town]);

  const zoom = (by: 1 | -1) => () => atlas?.[by === 1 ? "zoomIn" : "zoomOut"]();
  useEffect(() => {
    atlas?.getCanvas().setAttribute("aria-label", say("map.label"));
  }, [atlas, spoken]);
  if (failed) return h("p", { class: "empty", role: "status" }, say("problem.map"));
  return h(
    "div",
    { class: "canvas" },
    h("div", { class: "canvas", ref: canvas, "data-drawn": atlas === undefined ? "no" : "yes" }),
    h("div", { class: "hover", ref: label, hidden: true, "aria-hidden": "true" }),
    h(
      "div",
      { class: "zoom" },
      h("button", { type: "button", class: "button", "aria-label": say("map.closer"), onClick: zoom(1) }, "+"),
      h("button", { type: "button", class: "button", "aria-label": say("map.farther"), onClick: zoom(-1) }, "−"),
    ),
  );
}

interface Drawing {
  readonly atlas: Atlas;
  readonly remove: () => void;
}

async function draw(canvas: HTMLElement, label: HTMLElement, of: Town): Promise<Drawing> {
  // The page is there before the map is: half a megabyte of it is read only now.
  const { Map: AtlasMap } = await import("maplibre-gl");
  const paper = matchMedia("(prefers-color-scheme: light)");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const look = () => (paper.matches ? PAPER : NIGHT);
  const chosen = places().get(chosenId() ?? "");
  const opening =
    chosen !== undefined && POINTS.has(chosen.kind)
      ? { center: [...chosen.position] as [number, number], zoom: CLOSE }
      : { bounds: boundsOf(of), fitBoundsOptions: { padding: MARGIN_px } };
  const atlas = new AtlasMap({
    container: canvas,
    style: mapStyle(of, look(), FONT),
    ...opening,
    attributionControl: false,
    locale: { "Map.Title": say("map.label") },
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    renderWorldCopies: false,
    fadeDuration: 0,
    minZoom: 10,
    maxZoom: 20,
  });
  atlas.touchZoomRotate.disableRotation();
  atlas.setMissingStyleImageResolver((name) => {
    const image = mapImages(look()).get(name);
    if (image !== undefined && !atlas.hasImage(name)) atlas.addImage(name, image, { pixelRatio: 2 });
  });
  const stopFitting = "bounds" in opening ? keepFitting(atlas, boundsOf(of)) : () => {};
  await new Promise<void>((ready) => atlas.once("load", () => ready()));

  const light = createLight(atlas, places().values(), look());
  const numbers = createStopNumbers(
    atlas,
    [...places().values()].filter((place) => place.kind === "junction").map((place) => place.position),
  );
  const number = (): void => numberStops(numbers);
  const walk = createWalk(light.set, still);
  const furnish = (): void => drawThings(atlas, light, still);
  furnish();
  number();
  const repaint = (): void => {
    light.restyle(look());
    atlas.setStyle(mapStyle(of, look(), FONT), { diff: false });
    shown.delete(atlas);
    atlas.once("styledata", furnish);
    sayWhenDrawn(atlas);
  };
  paper.addEventListener("change", repaint);
  const stops = [
    followLamps(atlas, walk, still),
    ...[alarms, containers, junctions, ways, here].map((each) => (each as typeof here).watch(furnish)),
    ways.watch(number),
    here.watch(() => lookAtChosen(atlas)),
    stopFitting,
    point(atlas, light, label),
    light.remove,
    numbers.remove,
  ];
  lookAtChosen(atlas);
  return {
    atlas,
    remove() {
      for (const stop of stops) stop();
      paper.removeEventListener("change", repaint);
      walk.stop();
      atlas.remove();
    },
  };
}

/** Shows the whole town at whatever size the map comes to have, and from hidden to shown, until somebody looks elsewhere. */
function keepFitting(atlas: Atlas, bounds: [number, number, number, number]): () => void {
  const view = (): string => `${atlas.getZoom()} ${atlas.getCenter().toString()}`;
  let fitted = view();
  const subscription = atlas.on("resize", () => {
    if (view() !== fitted) return;
    atlas.fitBounds(bounds, { padding: MARGIN_px, animate: false });
    fitted = view();
  });
  return () => subscription.unsubscribe();
}

/** Says on the element that the map is being drawn anew, and when it is done. */
function sayWhenDrawn(atlas: Atlas): void {
  const canvas = atlas.getContainer();
  canvas.dataset["drawn"] = "no";
  atlas.once("idle", () => (canvas.dataset["drawn"] = "yes"));
}

function followLamps(atlas: Atlas, walk: Walk, still: boolean): () => void {
  let callOff: (() => void) | undefined;
  const stop = watchLamps((ids) => {
    for (const id of ids) walk.lead(id, lamps.get(id)?.level ?? 0);
    // Numbers cannot follow by feature state; once a second is enough for who reads them.
    if (still) callOff ??= after(1000, () => ((callOff = undefined), drawLevels(atlas)));
  });
  for (const [id, lamp] of lamps) walk.lead(id, lamp.level ?? 0);
  return () => {
    stop();
    callOff?.();
  };
}

function drawLevels(atlas: Atlas): void {
  atlas.getContainer().dataset["levels"] = "numbers";
  put(
    atlas,
    "levels",
    [...lamps].map(([id, lamp]) => spot(id, { text: lamp.level === null ? "?" : percent(lamp.level) })),
  );
}

/** Everything but light: marks of alarms, containers, junctions that wait, rounds, the chosen thing. */
function drawThings(atlas: Atlas, light: Light, still: boolean): void {
  const wanted = wanting(alarms.get()).filter((alarm) => alarm.severity !== "minor" && alarm.state === "open");
  const chosen = chosenId();
  put(
    atlas,
    "wanted",
    wanted.flatMap((alarm) => (alarm.devices.length > 0 ? alarm.devices : [alarm.subject])).map((id) => spot(id, {})),
  );
  put(
    atlas,
    "containers",
    containers.get().map((each) => spot(each.id, { step: fillStep(each.fill) })),
  );
  put(atlas, "chosen", chosen === undefined ? [] : chosenSpots(chosen));
  put(
    atlas,
    "ways",
    ways.get().map((way) => ({ type: "Feature" as const, geometry: way.path, properties: { id: way.id } })),
  );
  light.fade(silentLamps());
  const waiting = junctions.get().filter((each) => (each.longestWait_s ?? 0) > LONG_WAIT_s);
  put(
    atlas,
    "waiting",
    waiting.map((each) => spot(each.id, {})),
  );
  if (still) drawLevels(atlas);
}

/** Each container of a round bears its place among them. */
function numberStops(numbers: StopNumbers): void {
  numbers.show(
    ways
      .get()
      .flatMap((way) =>
        way.sites
          .filter((site) => site.what === "container")
          .map(({ position }, index) => ({ position, number: index + 1 })),
      ),
  );
}

/** A feature that the page makes itself: a mark, a way. */
interface Spot {
  readonly type: "Feature";
  readonly geometry: { readonly type: "Point"; readonly coordinates: readonly number[] } | RoundDetail["path"];
  readonly properties: Readonly<Record<string, string | number>>;
}

/** A lamp whose station is silent shows its last level, faded: nobody knows whether it still holds. */
const silentLamps = (): ReadonlySet<string> =>
  new Set(
    alarms.get().flatMap((alarm) => (alarm.key.endsWith("-silent") && alarm.cleared === null ? alarm.devices : [])),
  );

/** What each source of a map shows: to say the same again would draw the whole map again. */
const shown = new WeakMap<Atlas, Map<string, string>>();

function put(atlas: Atlas, source: string, features: readonly (Spot | undefined)[]): void {
  const found = features.filter((feature) => feature !== undefined);
  const text = JSON.stringify(found);
  const before = shown.get(atlas) ?? new Map<string, string>();
  if (before.get(source) === text) return;
  shown.set(atlas, before.set(source, text));
  sayWhenDrawn(atlas);
  void atlas.getSource<GeoJSONSource>(source)?.setData({
    type: "FeatureCollection",
    features: found,
  } as Features);
}

function spot(id: string, properties: Record<string, string | number>): Spot | undefined {
  const place = places().get(id);
  if (place === undefined) return undefined;
  return {
    type: "Feature",
    geometry: { type: "Point", coordinates: [...place.position] },
    properties: { id, ...properties },
  };
}

const chosenId = (): string | undefined => here.get().why ?? here.get().id;

/** A thing is one ring; a street is a ring on each of its lamps. */
function chosenSpots(id: string): (Spot | undefined)[] {
  if (places().get(id)?.kind !== "street") return [spot(id, {})];
  return [...places().values()]
    .filter((place) => place.kind === "luminaire" && place.street === id)
    .map((place) => spot(place.id, {}));
}

/** Brings what is chosen into view, without moving what is already seen. */
function lookAtChosen(atlas: Atlas): void {
  const place = places().get(chosenId() ?? "");
  if (place === undefined || !Number.isFinite(place.position[0])) return;
  const position: [number, number] = [...place.position];
  if (!atlas.getBounds().contains(position)) atlas.panTo(position);
}

/** Pointing: a word on what is under the pointer, a click opens it. */
function point(atlas: Atlas, light: Light, label: HTMLElement): () => void {
  const under = (event: MapMouseEvent): string | undefined => {
    const { x, y } = event.point;
    const layers = ["junctions", "containers", "depots"].filter((layer) => atlas.getLayer(layer) !== undefined);
    const found = atlas.queryRenderedFeatures(
      [
        [x - NEAR_px, y - NEAR_px],
        [x + NEAR_px, y + NEAR_px],
      ],
      { layers },
    );
    const near = found
      .map((feature) => ({ id: String(feature.properties["id"]), rank: layers.indexOf(feature.layer.id) }))
      .map(({ id, rank }) => ({ id, away: distance_px(atlas, id, x, y) + rank * 2 }));
    const lamp = light.nearest(x, y);
    if (lamp !== undefined && lamp.away_px < NEAR_px)
      near.push({ id: lamp.id, away: lamp.away_px + layers.length * 2 });
    return near.sort((one, other) => one.away - other.away)[0]?.id;
  };
  const click = (event: MapMouseEvent): void => {
    const id = under(event);
    if (id === undefined) return ask(undefined);
    if (places().get(id)?.kind === "junction") go({ view: "junctions", id });
    else ask(id);
  };
  const move = (event: MapMouseEvent): void => {
    const id = under(event);
    atlas.getCanvas().style.cursor = id === undefined ? "" : "pointer";
    label.hidden = id === undefined;
    if (id === undefined) return;
    label.textContent = told(id);
    label.style.transform = `translate(${event.point.x + 14}px, ${event.point.y + 14}px)`;
  };
  const leave = (): void => {
    label.hidden = true;
  };
  const subscriptions = [atlas.on("click", click), atlas.on("mousemove", move), atlas.on("mouseout", leave)];
  return () => {
    for (const each of subscriptions) each.unsubscribe();
  };
}

function distance_px(atlas: Atlas, id: string, x: number, y: number): number {
  const place = places().get(id);
  if (place === undefined) return Infinity;
  const at = atlas.project([...place.position]);
  return Math.hypot(at.x - x, at.y - y);
}

/** “Lamp L042 · rue du Port · 30 % · programme”. */
export function told(id: string): string {
  const lamp = lamps.get(id);
  const container = containers.get().find((each) => each.id === id);
  const parts = [called(id)];
  if (lamp !== undefined && lamp.level !== null) parts.push(percent(lamp.level));
  if (lamp !== undefined && lamp.rule !== null) parts.push(sayNamed("short", LAMP_RULES[lamp.rule] ?? ""));
  if (container !== undefined && container.fill !== null) parts.push(percent(container.fill));
  return parts.join(" · ");
}

/** What the first view must hold; roads that lead out of the town may leave it. */
const SHOWN: ReadonlySet<string> = new Set(["luminaire", "junction", "container"]);

function boundsOf(of: Town): [number, number, number, number] {
  let [west, south, east, north] = [180, 90, -180, -90];
  for (const { geometry, properties } of of.geojson.features) {
    if (!SHOWN.has(String(properties["kind"])) || !Array.isArray(geometry.coordinates)) continue;
    for (const [lon, lat] of [geometry.coordinates as [number, number]]) {
      west = Math.min(west, lon);
      south = Math.min(south, lat);
      east = Math.max(east, lon);
      north = Math.max(north, lat);
    }
  }
  return west < east
    ? [west, south, east, north]
    : [of.position[0] - 0.01, of.position[1] - 0.01, of.position[0] + 0.01, of.position[1] + 0.01];
}
