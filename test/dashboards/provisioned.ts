import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { DashboardFile, RuleFile, SourceFile } from "../../dashboards/double/provisioned.ts";

/** The folder that Grafana is provisioned from. */
export const GRAFANA = join(import.meta.dirname, "../../dashboards/grafana");
export const BOARDS = ["town", "lighting", "waste", "traffic", "fleet", "decisions"] as const;

const yaml = (file: string): unknown => parse(readFileSync(join(GRAFANA, file), "utf8"));

export const board = (language: "fr" | "en", id: string): DashboardFile =>
  JSON.parse(readFileSync(join(GRAFANA, `dashboards/${language}/${id}.json`), "utf8")) as DashboardFile;

export const source = (): SourceFile =>
  (yaml("provisioning/datasources/vigie.yaml") as { datasources: [SourceFile] }).datasources[0];

export const rules = (language: "fr" | "en"): readonly RuleFile[] =>
  (yaml(`alerting/${language}/rules.yaml`) as { groups: [{ rules: RuleFile[] }] }).groups[0].rules;
