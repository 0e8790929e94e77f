import type { Palette } from "./mapStyle.ts";

/** How many steps of fill a container's picture shows: empty, a quarter … full. */
export const FILL_STEPS = 4;
export const fillStep = (fill: number | null): string =>
  fill === null ? "unknown" : String(Math.min(FILL_STEPS, Math.max(0, Math.round(fill * FILL_STEPS))));

/** Pictures drawn here and now, twice the size they are shown at: a bin filled to its level, a depot, a tipping site. */
export function mapImages(palette: Palette): ReadonlyMap<string, ImageData> {
  const images = new Map<string, ImageData>();
  for (const step of [...Array.from({ length: FILL_STEPS + 1 }, (_, index) => String(index)), "unknown"]) {
    images.set(
      `container-${step}`,
      picture((pen) => container(pen, palette, step)),
    );
  }
  images.set(
    "place-depot",
    picture((pen) => place(pen, palette, new Path2D("M8 30V18l12-9 12 9v12z"))),
  );
  images.set(
    "place-tipping-site",
    picture((pen) => place(pen, palette, new Path2D("M6 30l14-20 14 20z"))),
  );
  return images;
}

const SIZE = 40;

function picture(draw: (pen: CanvasRenderingContext2D) => void): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = SIZE;
  canvas.height = SIZE;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null) return new ImageData(SIZE, SIZE);
  draw(pen);
  return pen.getImageData(0, 0, SIZE, SIZE);
}

function container(pen: CanvasRenderingContext2D, palette: Palette, step: string): void {
  const share = step === "unknown" ? 0 : Number(step) / FILL_STEPS;
  pen.fillStyle = palette.ground;
  pen.fillRect(10, 9, 20, 23);
  pen.fillStyle = palette.waste;
  pen.fillRect(12, 31 - 20 * share, 16, 20 * share);
  pen.strokeStyle = palette.waste;
  pen.lineWidth = share >= 1 ? 5 : 3;
  if (step === "unknown") pen.setLineDash([4, 3]);
  pen.strokeRect(11, 10, 18, 21);
  pen.beginPath();
  pen.moveTo(7, 9);
  pen.lineTo(33, 9);
  pen.stroke();
}

function place(pen: CanvasRenderingContext2D, palette: Palette, outline: Path2D): void {
  pen.fillStyle = palette.ground;
  pen.strokeStyle = palette.waste;
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.fill(outline);
  pen.stroke(outline);
}
