/** What of Grafana's classic dashboard files the double reads. All other members are Grafana's own business. */
export interface DashboardFile {
  readonly id: number | null;
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly time: { readonly from: string; readonly to: string };
  readonly panels: readonly PanelFile[];
  readonly templating: { readonly list: readonly VariableFile[] };
  readonly annotations: { readonly list?: readonly AnnotationFile[] };
}

export interface PanelFile {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly interval?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly TargetFile[];
  readonly transformations?: readonly { readonly id: string; readonly options: unknown }[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly fieldConfig?: {
    readonly defaults: FieldConfig;
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options?: unknown };
      readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
    }[];
  };
}

export interface FieldConfig {
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** What is said where nothing is good news. */
  readonly noValue?: string;
  readonly displayName?: string;
  readonly thresholds?: { readonly steps: readonly { readonly value: number | null; readonly color: string }[] };
  readonly mappings?: readonly {
    readonly type: string;
    readonly options: Readonly<Record<string, { readonly text?: string }>>;
  }[];
  readonly links?: readonly { readonly title: string; readonly url?: string }[];
  readonly custom?: Readonly<Record<string, unknown>>;
}

export interface TargetFile {
  readonly refId: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly query: string;
  readonly rawQuery: boolean;
  readonly resultFormat?: "time_series" | "table";
  readonly alias?: string;
  readonly policy?: string;
}

export interface VariableFile {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly current?: { readonly value?: string | readonly string[] };
}

export interface AnnotationFile {
  readonly name: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly target?: {
    readonly query: string;
    readonly textColumn?: string;
    readonly tagsColumn?: string;
    readonly timeEndColumn?: string;
  };
}

/** A group of alert rules, as provisioned. */
export interface RuleFile {
  readonly uid: string;
  readonly title: string;
  readonly condition: string;
  readonly noDataState: string;
  readonly data: readonly {
    readonly refId: string;
    readonly datasourceUid: string;
    readonly relativeTimeRange: { readonly from: number; readonly to: number };
    readonly model: Readonly<Record<string, unknown>>;
  }[];
}

/** The data source's part that says where requests go and how. */
export interface SourceFile {
  readonly uid: string;
  readonly type: string;
  readonly jsonData: {
    readonly dbName: string;
    readonly httpMode: "GET" | "POST";
    /** The shortest step, where a panel names none. */
    readonly timeInterval?: string;
  };
}
