import { ALERTS, provisionedRule } from "./alerts.ts";
import { SOURCE } from "./build-panel.ts";
import type { Language } from "./language.ts";
import { LANGUAGES, text } from "./language.ts";
import { yaml } from "./yaml.ts";

/** Where Grafana's container finds the dashboards. */
const MOUNTED = "/etc/vigie/dashboards";

/** The files of Grafana's folder `provisioning`, by their path; alerting comes in the language of whoever is woken. */
export function provisioningFiles(): Map<string, string> {
  const files = new Map([
    ["provisioning/datasources/vigie.yaml", yaml(dataSource())],
    ["provisioning/dashboards/vigie.yaml", yaml(folders())],
  ]);
  for (const language of LANGUAGES) {
    files.set(`alerting/${language}/rules.yaml`, yaml(rules(language)));
    files.set(`alerting/${language}/contact-points.yaml`, yaml(contactPoints()));
    files.set(`alerting/${language}/policies.yaml`, yaml(policies()));
  }
  return files;
}

/** Vigie's own face, or an InfluxDB that took its place: only the address and the token differ. */
export const dataSource = () => ({
  apiVersion: 1,
  prune: true,
  datasources: [
    {
      name: "Vigie",
      uid: SOURCE.uid,
      type: SOURCE.type,
      access: "proxy",
      url: "${VIGIE_INFLUX_URL}",
      isDefault: true,
      editable: false,
      jsonData: {
        version: "InfluxQL",
        dbName: "vigie",
        httpMode: "POST",
        timeInterval: "10s",
        httpHeaderName1: "Authorization",
      },
      secureJsonData: { httpHeaderValue1: "Token ${VIGIE_INFLUX_TOKEN}" },
    },
  ],
});

const folders = (): object => ({
  apiVersion: 1,
  providers: LANGUAGES.map((language) => ({
    name: `vigie-${language}`,
    folder: folderOf(language),
    folderUid: `vigie-${language}`,
    type: "file",
    disableDeletion: true,
    allowUiUpdates: false,
    updateIntervalSeconds: 60,
    options: { path: `${MOUNTED}/${language}` },
  })),
});

const folderOf = (language: Language): string => text("Vigie, English", "Vigie, français")[language];

const rules = (language: Language): object => ({
  apiVersion: 1,
  groups: [
    {
      orgId: 1,
      name: "vigie",
      folder: text("Vigie, alerts", "Vigie, alertes")[language],
      interval: "1m",
      rules: ALERTS.map((alert) => provisionedRule(alert, language)),
    },
  ],
});

const contactPoints = (): object => ({
  apiVersion: 1,
  contactPoints: [
    {
      orgId: 1,
      name: "Vigie",
      receivers: [
        { uid: "vigie-mail", type: "email", settings: { addresses: "${VIGIE_ALERT_MAIL}", singleEmail: true } },
      ],
    },
  ],
});

const policies = (): object => ({
  apiVersion: 1,
  policies: [
    {
      orgId: 1,
      receiver: "Vigie",
      group_by: ["alertname", "severity"],
      group_wait: "30s",
      group_interval: "5m",
      repeat_interval: "12h",
      routes: [
        {
          receiver: "Vigie",
          object_matchers: [["severity", "=", "critical"]],
          group_wait: "0s",
          repeat_interval: "1h",
        },
      ],
    },
  ],
});
