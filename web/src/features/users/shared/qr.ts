import { encode } from 'uqr';

/** Width of the light margin in modules; scanners need four. */
const BORDER = 4;

/** A QR code: its width in modules, its dark modules as an SVG path and as a matrix. */
export interface Code {
  size: number;
  path: string;
  cells: boolean[][];
}

/** Encodes a text as a QR code. */
export function qrCode(text: string): Code {
  const { data, size } = encode(text, { ecc: 'M', border: BORDER });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return { size, path, cells: data };
}

/** The code as an SVG file. */
export function qrSvg({ size, path }: Code): Blob {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" width="480" height="480" ` +
    `shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`;
  return new Blob([svg], { type: 'image/svg+xml' });
}

/** The code as a PNG of at most `pixels`, with whole pixels per module so that edges are sharp. */
export function qrPng({ size, cells }: Code, pixels = 800): Promise<Blob | null> {
  const scale = Math.max(1, Math.floor(pixels / size));
  const canvas = document.createElement('canvas');
  canvas.width = size * scale;
  canvas.height = size * scale;
  const context = canvas.getContext('2d');
  if (!context) return Promise.resolve(null);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = '#000';
  cells.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (dark) context.fillRect(x * scale, y * scale, scale, scale);
    });
  });
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

/** Saves a file from the browser. */
export function download(blob: Blob, name: string): void {
  const anchor = document.createElement('a');
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  // Later, because the browser reads the URL after this function returns.
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}
