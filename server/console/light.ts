import type { Map as Atlas } from "maplibre-gl";
import type { Palette } from "./mapStyle.ts";
import { nextFrame } from "./pageClock.ts";
import type { Place } from "./places.ts";

/**
 * The light of the lamps, on a sheet of its own over the map: light walks many times a second, and the map below it,
 * which is dear to draw where no graphics processor helps, stays as it is until somebody moves it.
 */
export interface Light {
  /** Shows a lamp at a level, 0 to 1. */
  readonly set: (lamp: string, level: number) => void;
  /** These lamps, and no others, are shown faded: nobody knows whether their level still holds. */
  readonly fade: (lamps: ReadonlySet<string>) => void;
  readonly restyle: (palette: Palette) => void;
  /** The lamp nearest to a point of the map and how far it is away, both in pixels. */
  readonly nearest: (x: number, y: number) => { readonly id: string; readonly away_px: number } | undefined;
  readonly remove: () => void;
}

interface Lamp {
  readonly id: string;
  /** Position on the world as a square of side 1, as the web's maps project it (Mercator). */
  readonly across: number;
  readonly down: number;
  level: number;
  faded: boolean;
}

/** A level is drawn in one of so many shades; the eye tells fewer apart. */
const SHADES = 40;
/** Light reaches so far at full output. */
const REACH_m = 44;
const FADED = 0.3;
/** From this zoom on a junction's name stands below it. */
const NAMED_FROM = 13.5;
const DRAWN_HERE = { willReadFrequently: true };
/** More pixels of the device than this for one of the page would be work that nobody sees in soft light. */
const SHARPEST = 2;
/** The glow falls from its middle to its rim as 3t² − 2t³. */
const FALL = Array.from({ length: 9 }, (_, index) => index / 8);

interface Shade {
  readonly glow: HTMLCanvasElement;
  readonly point: HTMLCanvasElement;
}

/** `places` are the territory's: its lamps give light, its junctions and containers are kept clear of it. */
export function createLight(atlas: Atlas, places: Iterable<Place>, first: Palette): Light {
  const sheet = document.createElement("canvas");
  sheet.className = "light";
  sheet.setAttribute("aria-hidden", "true");
  atlas.getCanvasContainer().append(sheet);
  // A thousand small pictures are laid faster by the processor than by a graphics library that imitates a card, and a
  // card has other things to do. The browser takes the word for "read often" as the wish to draw so.
  const pen = sheet.getContext("2d", DRAWN_HERE) as CanvasRenderingContext2D;
  const all = [...places];
  const lamps = new Map<string, Lamp>(
    all
      .filter((place) => place.kind === "luminaire")
      .map(({ id, position }) => [id, { id, ...projected(position), level: 0, faded: false }]),
  );
  const kept = all
    .filter((place) => place.kind === "junction" || place.kind === "container")
    .map(({ kind, position }) => ({ kind, ...projected(position) }));
  let palette = first;
  let shades = new Map<number, Shade>();
  let view = { zoom: 0, side: 1, left: 0, top: 0, width: 0, height: 0, ratio: 1 };
  let callOff: (() => void) | undefined;

  const look = (): void => {
    const { clientWidth: width, clientHeight: height } = atlas.getContainer();
    const ratio = Math.min(SHARPEST, devicePixelRatio);
    const zoom = atlas.getZoom();
    const side = 512 * 2 ** zoom;
    const middle = projected(atlas.getCenter().toArray());
    if (zoom !== view.zoom || ratio !== view.ratio) shades = new Map();
    if (width !== view.width || height !== view.height || ratio !== view.ratio) {
      sheet.width = Math.round(width * ratio);
      sheet.height = Math.round(height * ratio);
      sheet.style.width = `${width}px`;
      sheet.style.height = `${height}px`;
    }
    view = { zoom, side, left: middle.across * side - width / 2, top: middle.down * side - height / 2, width, height, ratio }; // prettier-ignore
  };
  const paint = (): void => {
    callOff?.();
    callOff = undefined;
    pen.clearRect(0, 0, sheet.width, sheet.height);
    const seen: { readonly lamp: Lamp; readonly x: number; readonly y: number; readonly shade: Shade }[] = [];
    for (const lamp of lamps.values()) {
      const shade = shadeOf(lamp.level);
      const x = (lamp.across * view.side - view.left) * view.ratio;
      const y = (lamp.down * view.side - view.top) * view.ratio;
      const half = shade.glow.width / 2;
      if (x < -half || y < -half || x > sheet.width + half || y > sheet.height + half) continue;
      seen.push({ lamp, x, y, shade });
    }
    for (const part of ["glow", "point"] as const) {
      if (part === "point") clear();
      for (const { lamp, x, y, shade } of seen) {
        const picture = shade[part];
        pen.globalAlpha = lamp.faded ? FADED : 1;
        // On whole pixels a picture is copied; between them it would be blended anew, dot by dot.
        pen.drawImage(picture, Math.round(x - picture.width / 2), Math.round(y - picture.height / 2));
      }
    }
  };
  /** Takes the glow from what lies on the map below it: a sign that is veiled is read late. */
  const clear = (): void => {
    pen.globalCompositeOperation = "destination-out";
    for (const { kind, across, down } of kept) {
      const x = (across * view.side - view.left) * view.ratio;
      const y = (down * view.side - view.top) * view.ratio;
      const dot = (below_px: number, radius_px: number, share: number): void => {
        pen.globalAlpha = share;
        pen.beginPath();
        pen.arc(x, y + below_px * view.ratio, radius_px * view.ratio, 0, 2 * Math.PI);
        pen.fill();
      };
      if (kind === "container") {
        dot(0, between(view.zoom, [13, 4], [15, 6], [17, 10]), 0.6);
      } else {
        dot(0, between(view.zoom, [12, 5], [15, 9], [18, 14]), 1);
        if (view.zoom >= NAMED_FROM) dot(18, 9, 0.6);
      }
    }
    pen.globalCompositeOperation = "source-over";
  };
  const shadeOf = (level: number): Shade => {
    const step = Math.round(level * SHADES);
    let shade = shades.get(step);
    if (shade === undefined) shades.set(step, (shade = drawShade(step / SHADES, palette, view.zoom, view.ratio)));
    return shade;
  };
  const paintSoon = (): void => {
    callOff ??= nextFrame(paint);
  };
  const follow = (): void => {
    look();
    paint();
  };
  // The map says `move` before it draws itself in the same frame: the two stay together.
  const subscriptions = [atlas.on("move", follow), atlas.on("resize", follow)];
  follow();

  return {
    set(id, level) {
      const lamp = lamps.get(id);
      if (lamp === undefined || lamp.level === level) return;
      const same = Math.round(level * SHADES) === Math.round(lamp.level * SHADES);
      lamp.level = level;
      if (!same) paintSoon();
    },
    fade(ids) {
      for (const lamp of lamps.values()) {
        if (lamp.faded === ids.has(lamp.id)) continue;
        lamp.faded = !lamp.faded;
        paintSoon();
      }
    },
    restyle(other) {
      palette = other;
      shades = new Map();
      paintSoon();
    },
    nearest(x, y) {
      let found: { id: string; away_px: number } | undefined;
      for (const lamp of lamps.values()) {
        const away_px = Math.hypot(lamp.across * view.side - view.left - x, lamp.down * view.side - view.top - y);
        if (away_px < (found?.away_px ?? Infinity)) found = { id: lamp.id, away_px };
      }
      return found;
    },
    remove() {
      callOff?.();
      for (const each of subscriptions) each.unsubscribe();
      sheet.remove();
    },
  };
}

/** Mercator's projection of a sphere on a square of side 1, north at the top. */
function projected([lon, lat]: readonly [number, number]): { readonly across: number; readonly down: number } {
  const north = Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
  return { across: (lon + 180) / 360, down: 0.5 - north / (2 * Math.PI) };
}

function drawShade(level: number, palette: Palette, zoom: number, ratio: number): Shade {
  return {
    glow: glow(level, palette, zoom, ratio),
    point: point(level, palette, zoom, ratio),
  };
}

function glow(level: number, palette: Palette, zoom: number, ratio: number): HTMLCanvasElement {
  // 0.077 pixels are a metre at zoom 12, about, and twice as many at each zoom after it.
  const radius = REACH_m * 0.077 * 2 ** (zoom - 12) * level ** 0.6 * ratio;
  return disc(radius, (pen, middle) => {
    const fall = pen.createRadialGradient(middle, middle, 0, middle, middle, radius);
    const strength = palette.shine * level ** 0.7;
    for (const at of FALL) {
      const share = (1 - at) ** 2 * (1 + 2 * at);
      fall.addColorStop(at, withAlpha(palette.glow, strength * share));
    }
    return fall;
  });
}

function point(level: number, palette: Palette, zoom: number, ratio: number): HTMLCanvasElement {
  const radius = between(zoom, [12, 0.8 + 1.2 * level], [15, 1.8 + 2.2 * level], [19, 5 + 6 * level]) * ratio;
  const colour =
    level < 0.05
      ? mixed(palette.unlit, palette.ember, level / 0.05)
      : level < 0.5
        ? mixed(palette.ember, palette.warm, (level - 0.05) / 0.45)
        : mixed(palette.warm, palette.bright, (level - 0.5) / 0.5);
  return disc(radius, () => colour);
}

function disc(
  radius: number,
  fill: (pen: CanvasRenderingContext2D, middle: number) => string | CanvasGradient,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 2 * Math.ceil(radius) + 2;
  const pen = canvas.getContext("2d", DRAWN_HERE) as CanvasRenderingContext2D;
  const middle = canvas.width / 2;
  pen.fillStyle = fill(pen, middle);
  pen.beginPath();
  pen.arc(middle, middle, Math.max(0.01, radius), 0, 2 * Math.PI);
  pen.fill();
  return canvas;
}

/** A value between stops of zoom; before the first and after the last it stays. */
function between(zoom: number, ...stops: readonly (readonly [zoom: number, value: number])[]): number {
  const after = stops.findIndex(([at]) => zoom < at);
  const [start, end] = [stops[after - 1], stops[after]];
  if (start === undefined) return stops[0]?.[1] ?? 0;
  if (end === undefined) return stops.at(-1)?.[1] ?? 0;
  // Things grow on the ground by powers of two; points somewhat slower.
  const share = (1.4 ** (zoom - start[0]) - 1) / (1.4 ** (end[0] - start[0]) - 1);
  return start[1] + (end[1] - start[1]) * share;
}

const parts = (colour: string): readonly [number, number, number] => [
  Number.parseInt(colour.slice(1, 3), 16),
  Number.parseInt(colour.slice(3, 5), 16),
  Number.parseInt(colour.slice(5, 7), 16),
];
const withAlpha = (colour: string, alpha: number): string => `rgb(${parts(colour).join(" ")} / ${alpha.toFixed(4)})`;

function mixed(one: string, other: string, share: number): string {
  const [from, to] = [parts(one), parts(other)];
  const mix = (index: 0 | 1 | 2): number => Math.round(from[index] + (to[index] - from[index]) * share);
  return `rgb(${mix(0)} ${mix(1)} ${mix(2)})`;
}
