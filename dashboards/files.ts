import { builtDashboard } from "./build-dashboard.ts";
import type { Dashboard } from "./build-dashboard.ts";
import { LANGUAGES } from "./language.ts";
import { decisions } from "./decisions.ts";
import { fleet } from "./fleet.ts";
import { lighting } from "./lighting.ts";
import { provisioningFiles } from "./provisioning.ts";
import { town } from "./town.ts";
import { traffic } from "./traffic.ts";
import { waste } from "./waste.ts";

export const DASHBOARDS: readonly Dashboard[] = [town, lighting, waste, traffic, fleet, decisions];

/** Every generated file by its path under `dashboards/grafana/`. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = provisioningFiles();
  for (const language of LANGUAGES) {
    for (const board of DASHBOARDS) {
      files.set(
        `dashboards/${language}/${board.id}.json`,
        `${JSON.stringify(builtDashboard(board, language), null, 2)}\n`,
      );
    }
  }
  return files;
}
