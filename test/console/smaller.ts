import { crc32, deflateSync } from "node:zlib";
import type { Page } from "playwright-core";

/**
 * The same picture with 256 colours at most, in a third of the bytes: soft light has thousands of shades that nobody
 * tells apart, and a PNG of full colour keeps each. `page` is a blank page of the browser, which decodes the picture.
 */
export async function smaller(page: Page, png: Buffer): Promise<Buffer> {
  const { width, height, pixels } = await page.evaluate(
    async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = document.createElement("canvas");
      canvas.width = image.width;
      canvas.height = image.height;
      const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
      pen.drawImage(image, 0, 0);
      const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
      let text = "";
      for (let index = 0; index < data.length; index += 0x8000)
        text += String.fromCharCode(...data.subarray(index, index + 0x8000));
      return { width: image.width, height: image.height, pixels: btoa(text) };
    },
    `data:image/png;base64,${png.toString("base64")}`,
  );
  return indexed(Buffer.from(pixels, "base64"), width, height);
}

function indexed(rgba: Buffer, width: number, height: number): Buffer {
  const counts = new Map<number, number>();
  for (let at = 0; at < rgba.length; at += 4) {
    const colour = coarse(rgba, at);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = [...counts].sort(([, one], [, other]) => other - one).slice(0, 256).map(([colour]) => colour); // prettier-ignore
  const nearest = new Map<number, number>(palette.map((colour, index) => [colour, index]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = coarse(rgba, (y * width + x) * 4);
      let index = nearest.get(colour);
      if (index === undefined) nearest.set(colour, (index = closest(palette, colour)));
      rows[y * (width + 1) + 1 + x] = index;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", head),
    chunk("PLTE", colours),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A colour with each part rounded to a multiple of four. */
const coarse = (rgba: Buffer, at: number): number =>
  ((rgba[at] as number) & 252) << 16 | ((rgba[at + 1] as number) & 252) << 8 | ((rgba[at + 2] as number) & 252); // prettier-ignore

function closest(palette: readonly number[], colour: number): number {
  let best = 0;
  let least = Infinity;
  for (const [index, each] of palette.entries()) {
    const away =
      ((each >> 16) - (colour >> 16)) ** 2 +
      (((each >> 8) & 255) - ((colour >> 8) & 255)) ** 2 +
      ((each & 255) - (colour & 255)) ** 2;
    if (away < least) [best, least] = [index, away];
  }
  return best;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
