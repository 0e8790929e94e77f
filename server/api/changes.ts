import type { Cancel, Clock } from "#protocol/ports.ts";
import { seconds } from "#protocol/units.ts";
import type { Territory } from "#protocol/territory.ts";
import { alarmOf } from "./alarms.ts";
import type { ApiContext, RunningServer } from "./context.ts";
import { entryOf } from "./decisions.ts";
import { junctionOf } from "./junctions.ts";
import { levelsOf } from "./lamps.ts";
import { healthOf } from "./now.ts";
import { overrideOf } from "./twin.ts";

/** What changed within these is said once: lamps and junctions at most five times a second, health every five seconds. */
const PACE = { street_s: seconds(0.2), health_s: seconds(5) };

/**
 * Says on the event stream what changes in the town. `wall` paces it, so that a town that runs faster than life does not
 * say more a second. Returns the function that ends it.
 */
export function tellChanges(context: ApiContext, server: RunningServer, wall: Clock): Cancel {
  const { territory, stream, clock } = context;
  const { registry } = server;
  const told = toldMeasures(territory);
  const lampsChanged = new Set<string>();
  const junctionsChanged = new Set<string>();
  const junctions = new Map(territory.junctions.map((junction) => [junction.id, junction]));
  let flush: Cancel | undefined;
  let health: Cancel | undefined;

  const street = (): void => {
    flush = undefined;
    if (lampsChanged.size > 0) stream.say("lamps", levelsOf(registry, [...lampsChanged], clock.now()));
    for (const id of junctionsChanged) {
      const junction = junctions.get(id);
      if (junction !== undefined) stream.say("junction", junctionOf(server, junction));
    }
    lampsChanged.clear();
    junctionsChanged.clear();
  };
  const changed = (device: string): void => {
    (junctions.has(device) ? junctionsChanged : lampsChanged).add(device);
    flush ??= wall.after(PACE.street_s, street);
  };
  const healthSoon = (): void => {
    health ??= wall.after(PACE.health_s, () => {
      health = undefined;
      healthOf(server, clock.now(), wall).then(
        (figures) => stream.say("health", figures),
        () => undefined,
      );
    });
  };

  const unsubscribes = [
    registry.subscribe((change) => {
      healthSoon();
      if (change.kind === "readings") {
        for (const { device, measure } of change.readings) if (told.get(device)?.has(measure) === true) changed(device);
      } else if (change.kind === "station") {
        for (const device of territory.byStation.get(change.station.id) ?? [])
          if (junctions.has(device.id)) changed(device.id);
      } else if (junctions.has(change.device)) changed(change.device);
    }),
    server.alarms.subscribe((alarm) => {
      stream.sayIn("alarm", (language) => alarmOf(alarm, language));
      healthSoon();
    }),
    server.overrides.subscribe((override) => {
      stream.say("override", overrideOf(override));
      healthSoon();
    }),
    server.journal.subscribe((entry) => stream.say("decision", entryOf(entry))),
  ];
  return () => {
    flush?.();
    health?.();
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
}

const LAMP_MEASURES: ReadonlySet<string> = new Set(["level", "rule"]);
const JUNCTION_MEASURES: ReadonlySet<string> = new Set(["stage", "greens", "mode", "longest_wait_s", "queue"]);

/** By device: the measures whose changes the page shows at once. */
function toldMeasures({ luminaires, junctions }: Territory): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map([
    ...luminaires.map(({ id }) => [id, LAMP_MEASURES] as const),
    ...junctions.map(({ id }) => [id, JUNCTION_MEASURES] as const),
  ]);
}
