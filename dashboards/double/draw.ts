import { chart } from "./draw-chart.ts";
import { figures, mapped, ranking, states, tabled } from "./draw-plain.ts";
import type { Frame } from "./frames.ts";
import type { Answered } from "./look.ts";
import type { DashboardFile, PanelFile } from "./provisioned.ts";
import { transformed } from "./shown-fields.ts";
import type { Box } from "./svg.ts";
import { text } from "./svg.ts";

/** A row of Grafana's grid with its margin, px. */
const ROW_PX = 38;
const MARGIN_PX = 8;
const TITLE_PX = 28;

/** Draws a dashboard with its answers as one SVG: plainly, but every value where Grafana would put it. */
export function drawnDashboard(board: DashboardFile, answered: readonly Answered[], width_px: number): string {
  const column = (width_px - MARGIN_PX) / 24;
  const bottom = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const height = bottom * ROW_PX + 56;
  const panels = board.panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const box = {
      x: MARGIN_PX + x * column,
      y: 48 + y * ROW_PX,
      w: w * column - MARGIN_PX,
      h: h * ROW_PX - MARGIN_PX,
    };
    if (panel.type === "row") return text(panel.title, box.x, box.y + 20, { size: 16, bold: true, colour: "#444" });
    return framed(panel, box, answered);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width_px}" height="${height}" viewBox="0 0 ${width_px} ${height}" font-family="sans-serif"><rect width="100%" height="100%" fill="#f4f5f5"/>${text(board.title, MARGIN_PX, 32, { size: 22, bold: true })}${panels.join("")}</svg>`;
}

function framed(panel: PanelFile, box: Box, answered: readonly Answered[]): string {
  const own = answered.filter(({ asked }) => asked.panel?.id === panel.id);
  const [first] = own;
  const frames = transformed(
    own.flatMap((each) => each.frames),
    panel,
  );
  const inner = { x: box.x, y: box.y + TITLE_PX, w: box.w, h: box.h - TITLE_PX };
  const content =
    first === undefined || frames.every((frame) => (frame.fields[0]?.values.length ?? 0) === 0)
      ? text(panel.fieldConfig?.defaults.noValue ?? "No data", box.x + box.w / 2, box.y + box.h / 2, {
          size: 15,
          anchor: "middle",
          colour: "#666",
        })
      : drawn(panel, frames, inner, first.asked.from, first.asked.to);
  return `<rect x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" rx="3" fill="#fff" stroke="#d8dbe0"/>${text(panel.title, box.x + 10, box.y + 19, { size: 14, bold: true, most: Math.floor(box.w / 8) })}${content}`;
}

function drawn(panel: PanelFile, frames: readonly Frame[], box: Box, from: number, to: number): string {
  switch (panel.type) {
    case "stat":
      return figures(frames, panel, box);
    case "bargauge":
      return ranking(frames, panel, box);
    case "table":
      return tabled(frames, panel, box);
    case "geomap":
      return mapped(frames, panel, box);
    case "state-timeline":
      return states(frames, panel, box, from, to);
    case "timeseries":
      return chart(frames, panel, box, from, to);
    default:
      throw new Error(`the double cannot draw a ${panel.type}`);
  }
}
