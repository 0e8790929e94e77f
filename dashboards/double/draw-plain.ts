import { colourOf, shown } from "./format.ts";
import type { Field, Frame } from "./frames.ts";
import type { PanelFile } from "./provisioned.ts";
import { shownField } from "./shown-fields.ts";
import type { Box } from "./svg.ts";
import { text } from "./svg.ts";

interface Reduced {
  readonly name: string;
  readonly value: number;
}

/** What each series comes to: its last, sum, least… */
function reduced(frames: readonly Frame[], panel: PanelFile): Reduced[] {
  const [calc] = (panel.options?.["reduceOptions"] as { calcs?: readonly string[] } | undefined)?.calcs ?? [];
  return frames.flatMap((frame) => {
    const field = frame.fields.find((each) => each.type !== "time");
    const values = (field?.values ?? []).filter((value) => typeof value === "number");
    if (field === undefined || values.length === 0) return [];
    const sum = values.reduce((total, value) => total + value, 0);
    const results: Readonly<Record<string, number>> = {
      sum,
      mean: sum / values.length,
      min: Math.min(...values),
      max: Math.max(...values),
    };
    return [{ name: shownField(field, panel).name, value: results[calc ?? ""] ?? (values.at(-1) as number) }];
  });
}

export function figures(frames: readonly Frame[], panel: PanelFile, box: Box): string {
  const all = reduced(frames, panel);
  const config = panel.fieldConfig?.defaults ?? {};
  return all
    .map(({ name, value }, index) => {
      const middle = box.x + (box.w * (index + 0.5)) / all.length;
      const size = Math.min(38, (box.w / all.length / Math.max(4, shown(value, config).length)) * 1.6);
      const label = all.length > 1 ? text(name, middle, box.y + box.h / 2 - size, { size: 13, anchor: "middle" }) : "";
      const colour = colourOf(value, config);
      return (
        label +
        text(shown(value, config), middle, box.y + box.h / 2 + size / 3, { size, anchor: "middle", colour, bold: true })
      );
    })
    .join("");
}

export function ranking(frames: readonly Frame[], panel: PanelFile, box: Box): string {
  const all = reduced(frames, panel);
  const config = panel.fieldConfig?.defaults ?? {};
  const most = Math.max(config.max ?? 0, ...all.map(({ value }) => value), 1e-9);
  const height = Math.min(34, (box.h - 10) / Math.max(1, all.length));
  return all
    .map(({ name, value }, index) => {
      const y = box.y + 6 + index * height;
      const width = Math.max(1, (Math.max(0, value) / most) * (box.w - 220));
      return `${text(name, box.x + 8, y + height / 2 + 4, { size: 12, most: 24 })}<rect x="${box.x + 150}" y="${y + 4}" width="${width}" height="${height - 8}" fill="${colourOf(value, config)}"/>${text(shown(value, config), box.x + 156 + width, y + height / 2 + 4, { size: 12 })}`;
    })
    .join("");
}

export function tabled(frames: readonly Frame[], panel: PanelFile, box: Box): string {
  const [frame] = frames;
  if (frame === undefined) return "";
  const columns = frame.fields.map((field) => shownField(field, panel)).filter((column) => !column.hidden);
  const wide = columns.map(
    (column) =>
      1 + Math.min(5, Math.max(...column.field.values.slice(0, 20).map((value) => String(value).length)) / 10),
  );
  const total = wide.reduce((sum, each) => sum + each, 0);
  const rows = Math.min(frame.fields[0]?.values.length ?? 0, Math.floor((box.h - 26) / 22));
  const order = sorted(frame, panel);
  let x = box.x + 8;
  return columns
    .map((column, index) => {
      const width = ((box.w - 16) * (wide[index] as number)) / total;
      const left = x;
      x += width;
      const most = Math.max(3, Math.floor(width / 6.8));
      const cells = order.slice(0, rows).map((place, row) => {
        const value = column.field.values[place] ?? null;
        const label =
          column.field.type === "time"
            ? new Date(Number(value)).toISOString().slice(5, 16).replace("T", " ")
            : shown(value, column.config);
        const graded = column.custom["cellOptions"] !== undefined && typeof value === "number";
        const colour = graded ? colourOf(value, column.config) : "#222";
        return text(label, left, box.y + 42 + row * 22, { size: 12, most, colour });
      });
      return text(column.name, left, box.y + 18, { size: 12, bold: true, most }) + cells.join("");
    })
    .join("");
}

function sorted(frame: Frame, panel: PanelFile): number[] {
  const [by] = (panel.options?.["sortBy"] as { displayName?: string }[] | undefined) ?? [];
  const field = frame.fields.find((each) => shownField(each, panel).name === by?.displayName);
  const order = (frame.fields[0]?.values ?? []).map((_, index) => index);
  return field === undefined ? order : order.sort((a, b) => Number(field.values[b]) - Number(field.values[a]));
}

/** Devices where they are, north up; the base map is the network's and is left out. */
export function mapped(frames: readonly Frame[], panel: PanelFile, box: Box): string {
  const [frame] = frames;
  const of = (name: string): Field["values"] => frame?.fields.find((field) => field.name === name)?.values ?? [];
  const [lats, lons] = [of("lat").map(Number), of("lon").map(Number)];
  const value = frame?.fields.find((field) => field.type === "number" && field.name !== "lat" && field.name !== "lon");
  if (lats.length === 0 || value === undefined) return "";
  const [south, north, west, east] = [Math.min(...lats), Math.max(...lats), Math.min(...lons), Math.max(...lons)];
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = Math.min(
    (box.w - 40) / Math.max(1e-6, (east - west) * shrink),
    (box.h - 40) / Math.max(1e-6, north - south),
  );
  const config = panel.fieldConfig?.defaults ?? {};
  const graded = (config.thresholds?.steps.length ?? 0) > 1;
  const dots = lats.map((lat, index) => {
    const x = box.x + box.w / 2 + ((lons[index] as number) - (west + east) / 2) * shrink * scale;
    const y = box.y + box.h / 2 - (lat - (south + north) / 2) * scale;
    const amount = Number(value.values[index]);
    const fill = graded ? colourOf(amount, config) : `hsl(45 90% ${Math.round(15 + 45 * Math.min(1, amount))}%)`;
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="7" fill="${fill}" stroke="#fff"/>${text(shown(amount, config), x, y - 10, { size: 10, anchor: "middle", colour: "#555" })}`;
  });
  return `<rect x="${box.x + 6}" y="${box.y + 4}" width="${box.w - 12}" height="${box.h - 10}" fill="#eef1f4"/>${dots.join("")}`;
}

export function states(frames: readonly Frame[], panel: PanelFile, box: Box, from: number, to: number): string {
  const height = Math.min(40, (box.h - 10) / Math.max(1, frames.length));
  const room = { x: box.x + 90, w: box.w - 100 };
  const config = panel.fieldConfig?.defaults ?? {};
  return frames
    .map((frame, row) => {
      const times = frame.fields.find((field) => field.type === "time")?.values.map(Number) ?? [];
      const field = frame.fields.find((each) => each.type !== "time") as Field;
      const y = box.y + 6 + row * height;
      const runs: { at: number; until: number; value: number }[] = [];
      for (const [index, at] of times.entries()) {
        const value = field.values[index];
        if (typeof value !== "number") continue;
        const last = runs.at(-1);
        if (last !== undefined) last.until = at;
        if (last === undefined || last.value !== value) runs.push({ at, until: to, value });
      }
      const last = runs.at(-1);
      if (last !== undefined) last.until = to;
      const x = (at: number): number => room.x + (Math.max(0, at - from) / (to - from)) * room.w;
      const drawn = runs.map(({ at, until, value }) => {
        const width = Math.max(1, x(until) - x(at));
        const label = shown(value, config);
        const fits = width > label.length * 7;
        return `<rect x="${x(at)}" y="${y + 3}" width="${width}" height="${height - 6}" fill="${colourOf(value, config)}" opacity="0.8"/>${fits ? text(label, x(at) + 5, y + height / 2 + 4, { size: 12, colour: "#fff" }) : ""}`;
      });
      return (
        text(shownField(field, panel).name, box.x + 8, y + height / 2 + 4, { size: 12, most: 12 }) + drawn.join("")
      );
    })
    .join("");
}
