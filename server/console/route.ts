import { h } from "preact";
import type { ComponentChild, ComponentChildren } from "preact";
import { cell } from "./cell.ts";

/** The views of the navigation; each one's number on the keyboard is its place here. */
export const NUMBERED = ["now", "alarms", "rounds", "junctions", "decisions", "devices", "trials", "settings"] as const;
/** Where one is, as the address says it: a link in an alarm mail lands on the same view, thing and time. */
export const VIEWS = [...NUMBERED, "map", "list", "sign-in"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  readonly view: View;
  /** The thing looked at: a junction, a round, an alarm, a device. */
  readonly id?: string;
  /** A further part of the path: `print`. */
  readonly part?: string;
  /** The thing whose drawer is open. */
  readonly why?: string;
  /** The moment replayed, ms since 1970 UTC; absent: now. */
  readonly at?: number;
}

/** Reads an address; what is not known leads to the first view. */
export function routeOf(pathname: string, search: string): Route {
  const [first = "", id, part] = pathname.split("/").filter(Boolean).map(decodeURIComponent);
  const view = (VIEWS as readonly string[]).includes(first) ? (first as View) : "now";
  const query = new URLSearchParams(search);
  const why = query.get("why");
  const at = Date.parse(query.get("at") ?? "");
  return {
    view,
    ...(id !== undefined && { id }),
    ...(part !== undefined && { part }),
    ...(why !== null && why !== "" && { why }),
    ...(Number.isFinite(at) && { at }),
  };
}

export function addressOf(route: Route): string {
  const path =
    route.view === "now"
      ? "/"
      : `/${[route.view, route.id, route.part]
          .filter(Boolean)
          .map((each) => encodeURIComponent(each as string))
          .join("/")}`;
  const query = new URLSearchParams();
  if (route.why !== undefined) query.set("why", route.why);
  if (route.at !== undefined) query.set("at", new Date(route.at).toISOString());
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

export const here = cell<Route>(routeOf(location.pathname, location.search));

/** Goes somewhere; `instead` replaces the entry in the browser's history (for a slider, not for a step). */
export function go(route: Route, instead = false): void {
  const address = addressOf(route);
  if (address === location.pathname + location.search) return;
  history[instead ? "replaceState" : "pushState"](null, "", address);
  here.set(route);
}

/** The drawer on one thing, over whatever is in view; undefined closes it. */
export function ask(why: string | undefined): void {
  const { why: _, ...rest } = here.get();
  go(why === undefined ? rest : { ...rest, why });
}

/** Follows the browser's back and forward. */
export function followAddress(): void {
  addEventListener("popstate", () => here.set(routeOf(location.pathname, location.search)));
}

/** A real link (it can be opened in a tab, copied, read out) that stays on the page when clicked. */
export function Link(props: {
  readonly to: Route;
  readonly class?: string;
  readonly current?: boolean;
  readonly label?: string;
  readonly children?: ComponentChildren;
}): ComponentChild {
  return h(
    "a",
    {
      href: addressOf(props.to),
      ...(props.class !== undefined && { class: props.class }),
      ...(props.current === true && { "aria-current": "page" as const }),
      ...(props.label !== undefined && { "aria-label": props.label }),
      onClick: (event: MouseEvent) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(props.to);
      },
    },
    props.children,
  );
}
