import { h } from "preact";
import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Readings } from "../api/resources.ts";
import { query } from "./api.ts";
import { clockTime, number, percent, quantity } from "./format.ts";
import { say } from "./language.ts";
import { drawn, useResource } from "./resource.ts";
import { townTime } from "./state.ts";

const DAY_ms = 86_400_000;
const HEIGHT_px = 120;

/** The last 24 hours of one measure as a line, and in words for who does not see it. */
export function Chart(props: {
  readonly device: string;
  readonly measure: string;
  readonly unit: string;
}): ComponentChild {
  // The window moves once a quarter: a drawer that stays open does not ask anew at every drawing.
  const to = Math.ceil(townTime() / 900_000) * 900_000;
  const readings = useResource<Readings>(
    query(`/devices/${encodeURIComponent(props.device)}/readings`, {
      measure: props.measure,
      from: to - DAY_ms,
      to,
      every_s: 900,
    }),
  );
  return h(
    "figure",
    { class: "chart" },
    drawn(readings, (given) =>
      given.rows.length < 2
        ? h("p", { class: "quiet" }, say("chart.empty"))
        : h(Line, { given, share: props.unit === "1" && props.measure !== "passes" }),
    ),
  );
}

function Line(props: { readonly given: Readings; readonly share: boolean }): ComponentChild {
  const place = useRef<HTMLDivElement>(null);
  const { rows, unit } = props.given;
  const text = (value: number): string =>
    props.share ? percent(value) : unit === "1" ? number(value, 1) : quantity(value, unit);
  useEffect(() => {
    const into = place.current as HTMLDivElement;
    let gone = false;
    let end = (): void => {};
    const begin = async (): Promise<void> => {
      const { default: Plot } = await import("uplot");
      if (gone) return;
      const style = getComputedStyle(into);
      const quiet = style.getPropertyValue("--quiet");
      const hue = style.getPropertyValue("--hue") || style.getPropertyValue("--light");
      const axis = {
        stroke: quiet,
        grid: { stroke: style.getPropertyValue("--line"), width: 1 },
        ticks: { show: false },
      };
      const plot = new Plot(
        {
          width: into.clientWidth,
          height: HEIGHT_px,
          legend: { show: false },
          cursor: { y: false },
          scales: {
            x: { time: false },
            y: { range: (_, least, most) => [Math.min(0, least ?? 0), Math.max(most ?? 1, props.share ? 1 : 0.1)] },
          },
          axes: [
            { ...axis, values: (_, times) => times.map((time) => clockTime(time)), size: 24 },
            { ...axis, values: (_, values) => values.map(text), size: 56 },
          ],
          series: [{}, { stroke: hue, width: 1.5, fill: `${hue.trim()}22`, points: { show: false } }],
        },
        [rows.map((row) => row.at), rows.map((row) => row.value)],
        into,
      );
      end = () => plot.destroy();
    };
    void begin();
    return () => {
      gone = true;
      end();
    };
  }, [rows, props.share]);
  const values = rows.map((row) => row.value);
  const told = say("chart.told", {
    least: text(Math.min(...values)),
    most: text(Math.max(...values)),
    last: text(values.at(-1) ?? 0),
  });
  return h(
    "div",
    null,
    h("div", { ref: place, "aria-hidden": "true", class: "plot" }),
    h("figcaption", { class: "quiet small" }, told),
  );
}
