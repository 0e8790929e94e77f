import { shown, PALETTE } from "./format.ts";
import type { Field, Frame } from "./frames.ts";
import type { PanelFile } from "./provisioned.ts";
import type { ShownField } from "./shown-fields.ts";
import { shownField } from "./shown-fields.ts";
import type { Box } from "./svg.ts";
import { text } from "./svg.ts";

const NOTHING: Field = { name: "", type: "number", values: [] };

interface Line extends ShownField {
  readonly points: readonly (readonly [at: number, value: number])[];
  readonly colour: string;
}

/** Lines, bars or points over time, with axes, thresholds and a legend. */
export function chart(frames: readonly Frame[], panel: PanelFile, box: Box, from: number, to: number): string {
  const lines = frames.map((frame, index) => lineOf(frame, panel, index));
  const custom = panel.fieldConfig?.defaults.custom ?? {};
  const stacked = (custom["stacking"] as { mode?: string } | undefined)?.mode === "normal";
  const bases = stacked ? stack(lines) : new Map<Line, readonly number[]>();
  const tops = lines.flatMap((line) => line.points.map(([, value], index) => value + (bases.get(line)?.[index] ?? 0)));
  const defaults = panel.fieldConfig?.defaults ?? {};
  const least = Math.min(defaults.min ?? Infinity, stacked ? 0 : Infinity, ...tops);
  const highest = Math.max(defaults.max ?? -Infinity, ...tops);
  const most = highest > least ? highest : least + 1;
  const room = { x: box.x + 62, y: box.y + 8, w: box.w - 76, h: box.h - 52 };
  const x = (at: number): number => room.x + ((at - from) / (to - from)) * room.w;
  const y = (value: number): number => room.y + room.h - ((value - least) / (most - least)) * room.h;
  const parts: string[] = [axes(least, most, panel, room, from, to, y, x)];
  for (const { value } of defaults.thresholds?.steps ?? []) {
    if (value === null || value < least || value > most) continue;
    parts.push(`<path d="M${room.x} ${y(value)}h${room.w}" stroke="#c4162a" stroke-dasharray="6 4" opacity="0.6"/>`);
  }
  const width = barWidth(lines, room.w, to - from);
  // The last step of a time may end after it.
  const clip = `clip-${Math.round(box.x)}-${Math.round(box.y)}`;
  parts.push(
    `<clipPath id="${clip}"><rect x="${room.x}" y="${room.y - 2}" width="${room.w}" height="${room.h + 4}"/></clipPath>`,
  );
  parts.push(`<g clip-path="url(#${clip})">`);
  for (const line of lines) {
    const below = lines.find((each) => each.name === line.custom["fillBelowTo"]);
    if (below !== undefined) parts.push(band(line, below, x, y));
    parts.push(drawn(line, custom["drawStyle"], bases.get(line), x, y, width));
  }
  parts.push("</g>", legend(lines, box));
  return parts.join("");
}

function lineOf(frame: Frame, panel: PanelFile, index: number): Line {
  const times = frame.fields.find((field) => field.type === "time")?.values ?? [];
  const values = frame.fields.find((field) => field.type !== "time") ?? NOTHING;
  return {
    ...shownField(values, panel),
    colour: PALETTE[index % PALETTE.length] as string,
    points: times.flatMap((at, place) => {
      const value = values.values[place];
      return typeof value === "number" ? [[Number(at), value] as const] : [];
    }),
  };
}

function stack(lines: readonly Line[]): Map<Line, readonly number[]> {
  const sums = new Map<number, number>();
  return new Map(
    lines.map((line) => [
      line,
      line.points.map(([at, value]) => {
        const base = sums.get(at) ?? 0;
        sums.set(at, base + value);
        return base;
      }),
    ]),
  );
}

type Scale = (value: number) => number;

function drawn(line: Line, style: unknown, bases: readonly number[] | undefined, x: Scale, y: Scale, width: number) {
  const place = (index: number): readonly [number, number] => {
    const [at, value] = line.points[index] as readonly [number, number];
    return [x(at), y(value + (bases?.[index] ?? 0))];
  };
  if (style === "bars") {
    return line.points
      .map(([, value], index) => {
        const [left, top] = place(index);
        const height = Math.abs(y(bases?.[index] ?? 0) - y((bases?.[index] ?? 0) + value));
        return `<rect x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${line.colour}"/>`;
      })
      .join("");
  }
  if (style === "points") {
    return line.points
      .map((_, index) => place(index))
      .map(([cx, cy]) => `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="1.6" fill="${line.colour}"/>`)
      .join("");
  }
  const path = line.points
    .map((_, index) => place(index))
    .map(([px, py], index) => `${index === 0 ? "M" : "L"}${px.toFixed(1)} ${py.toFixed(1)}`)
    .join("");
  return `<path d="${path}" fill="none" stroke="${line.colour}" stroke-width="1.6"/>`;
}

function band(upper: Line, lower: Line, x: Scale, y: Scale): string {
  const along = (line: Line): string[] =>
    line.points.map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
  const path = [...along(upper), ...along(lower).toReversed()].join("L");
  return `<path d="M${path}Z" fill="${upper.colour}" opacity="0.2"/>`;
}

/** Bars are as wide as the shortest step between any two of them. */
function barWidth(lines: readonly Line[], width: number, range_ms: number): number {
  const times = [...new Set(lines.flatMap((line) => line.points.map(([at]) => at)))].sort((a, b) => a - b);
  const gaps = times.slice(1).map((at, index) => at - (times[index] as number));
  return Math.max(1, (Math.min(range_ms / 10, ...gaps) / range_ms) * width * 0.85);
}

function axes(
  least: number,
  most: number,
  panel: PanelFile,
  room: Box,
  from: number,
  to: number,
  y: Scale,
  x: Scale,
): string {
  const rows = [0, 1, 2, 3, 4].map((part) => {
    const value = least + ((most - least) * part) / 4;
    const label = shown(value, { ...panel.fieldConfig?.defaults, mappings: [] });
    return `<path d="M${room.x} ${y(value)}h${room.w}" stroke="#e3e6ea"/>${text(label, room.x - 6, y(value) + 4, { size: 11, anchor: "end", colour: "#666" })}`;
  });
  const steps = Math.max(2, Math.floor(room.w / 120));
  const columns = Array.from({ length: steps }, (_, part) => {
    const at = from + ((to - from) * part) / steps;
    const label = new Date(at).toISOString().slice(5, 16).replace("T", " ");
    return text(label, x(at), room.y + room.h + 16, { size: 11, colour: "#666" });
  });
  return [...rows, ...columns].join("");
}

function legend(lines: readonly Line[], box: Box): string {
  let x = box.x + 10;
  const y = box.y + box.h - 10;
  return lines
    .map((line) => {
      const at = x;
      x += 26 + line.name.length * 6.6;
      if (x > box.x + box.w) return "";
      return `<rect x="${at}" y="${y - 8}" width="12" height="4" fill="${line.colour}"/>${text(line.name, at + 17, y - 2, { size: 11 })}`;
    })
    .join("");
}
