import type { Field, Frame } from "./frames.ts";
import type { FieldConfig, PanelFile } from "./provisioned.ts";

/** A field as a panel shows it: its name, its own settings, whether it is hidden. */
export interface ShownField {
  readonly field: Field;
  readonly name: string;
  readonly config: FieldConfig;
  readonly hidden: boolean;
  readonly custom: Readonly<Record<string, unknown>>;
}

/** Applies a panel's defaults and overrides to a field, as Grafana does by the name shown. */
export function shownField(field: Field, panel: PanelFile): ShownField {
  const defaults = panel.fieldConfig?.defaults ?? {};
  const called = field.displayName ?? field.name;
  let config: FieldConfig = defaults;
  let custom: Record<string, unknown> = { ...defaults.custom };
  for (const { matcher, properties } of panel.fieldConfig?.overrides ?? []) {
    if (matcher.id !== "byName" || matcher.options !== called) continue;
    for (const { id, value } of properties) {
      if (id.startsWith("custom.")) custom = { ...custom, [id.slice("custom.".length)]: value };
      else config = { ...config, [id]: value };
    }
  }
  return { field, config, custom, name: config.displayName ?? called, hidden: custom["hidden"] === true };
}

/** Carries out the two transformations that the maps use: an inner join by a field, and keeping fields by name. */
export function transformed(frames: readonly Frame[], panel: PanelFile): readonly Frame[] {
  let result = frames;
  for (const { id, options } of panel.transformations ?? []) {
    if (id === "joinByField") result = [joined(result, (options as { byField: string }).byField)];
    else if (id === "filterFieldsByName") {
      const { names } = (options as { include: { names: readonly string[] } }).include;
      result = result.map((frame) => ({
        ...frame,
        fields: frame.fields.filter((field) => names.includes(field.name)),
      }));
    } else throw new Error(`the double does not know the transformation ${id}`);
  }
  return result;
}

function joined(frames: readonly Frame[], by: string): Frame {
  const keysOf = (frame: Frame): Field["values"] => frame.fields.find((field) => field.name === by)?.values ?? [];
  const common = frames.map((frame) => new Set(keysOf(frame)));
  const keys = [...new Set(frames.flatMap((frame) => [...keysOf(frame)]))].filter((key) =>
    common.every((each) => each.has(key)),
  );
  const rest = frames.flatMap((frame) => {
    const places = new Map(keysOf(frame).map((key, index) => [key, index]));
    return frame.fields
      .filter((field) => field.name !== by)
      .map((field) => ({ ...field, values: keys.map((key) => field.values[places.get(key) ?? -1] ?? null) }));
  });
  return { name: "joined", fields: [{ name: by, type: "string", values: keys }, ...rest] };
}
