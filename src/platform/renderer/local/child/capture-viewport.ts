import type { openBrowser } from '@remotion/renderer';

type Browser = Awaited<ReturnType<typeof openBrowser>>;

/** A command as it goes out; Remotion does not say more of it either. */
type Command = Record<string, unknown>;

const numbersOf = (value: unknown, names: readonly string[]): readonly number[] =>
  names.map((name) => (typeof value === 'object' && value !== null ? Number(Reflect.get(value, name)) : NaN));

/** Where the viewport ends between two pixels, what sticks to its edges would be drawn otherwise than by Remotion. */
const isWholeViewport = (clip: unknown, viewport: unknown): boolean => {
  const [x, y, width, height, clipScale] = numbersOf(clip, ['x', 'y', 'width', 'height', 'scale']);
  const [viewWidth, viewHeight, scale = NaN] = numbersOf(viewport, ['width', 'height', 'deviceScaleFactor']);
  if (x !== 0 || y !== 0 || clipScale !== 1 || width !== viewWidth || height !== viewHeight) return false;
  return [width, height].every((side) => Number.isInteger(Number(side) * scale));
};

/**
 * Takes each picture of what the viewport shows, where Remotion asks for what may lie beyond it: for that Chromium lays out and paints
 * the whole document anew before the picture and again after it. Remotion makes the viewport as large as the picture, so there is
 * nothing beyond, and the pictures are the same, byte for byte, for a third less CPU of the page (scripts/bench/video.ts). There is no
 * option for it, so the command is amended on the way; one that asks for anything but the viewport stays as it is.
 */
export const captureViewportOnly = ({ connection }: Browser): void => {
  const sendRaw = connection._rawSend.bind(connection);
  const viewports = new Map<unknown, unknown>();
  const amend = (command: Command): Command => {
    const { method, sessionId, params } = command;
    if (method === 'Emulation.setDeviceMetricsOverride') viewports.set(sessionId, params);
    if (method !== 'Page.captureScreenshot' || typeof params !== 'object' || params === null) return command;
    if (!isWholeViewport(Reflect.get(params, 'clip'), viewports.get(sessionId))) return command;
    return { ...command, params: { ...params, captureBeyondViewport: false } };
  };
  connection._rawSend = (command) => sendRaw(amend(command));
};
