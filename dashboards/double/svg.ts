/** A rectangle of the page, px. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface TextStyle {
  readonly size: number;
  readonly anchor?: "start" | "middle" | "end";
  readonly colour?: string;
  readonly bold?: boolean;
  /** Longer text is cut. */
  readonly most?: number;
}

export function text(content: string, x: number, y: number, style: TextStyle): string {
  const { size, anchor = "start", colour = "#222", bold = false, most = Infinity } = style;
  const kept = content.length > most ? `${content.slice(0, most - 1)}…` : content;
  const safe = kept.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size.toFixed(1)}" text-anchor="${anchor}" fill="${colour}"${bold ? ' font-weight="600"' : ""}>${safe}</text>`;
}
