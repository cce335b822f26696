/** Generations of BigBlueButton that the stub can be. `livekit` is 3.0 with that audio bridge, as 4.0 looks. */
export const SKINS = ['2.2', '2.4', '2.7', '3.0', 'livekit'] as const;
export type Skin = (typeof SKINS)[number];

/** Whether a generation is this one or a later one. */
export function isSince(skin: Skin, first: Skin): boolean {
  return SKINS.indexOf(skin) >= SKINS.indexOf(first);
}

/** Colours of what a capture is to keep out of its picture; nothing else has them. */
export const FORBIDDEN_COLOURS = {
  navBar: [255, 0, 255],
  actionsBar: [255, 128, 0],
  userList: [0, 255, 255],
  chat: [0, 255, 0],
  toast: [255, 255, 0],
  modal: [128, 0, 255],
} as const satisfies Readonly<Record<string, readonly [number, number, number]>>;
export type ForbiddenPart = keyof typeof FORBIDDEN_COLOURS;

/** So far may each of red, green and blue be off after a codec was at it. */
const TOLERANCE = 48;

/**
 * How much of a picture each part covers, 0 to 1.
 *
 * @param pixels rows of red, green, blue and, if there are four bytes a pixel, alpha
 */
export function forbiddenShares(pixels: Uint8Array, bytesPerPixel: 3 | 4): Readonly<Record<ForbiddenPart, number>> {
  const shares = { navBar: 0, actionsBar: 0, userList: 0, chat: 0, toast: 0, modal: 0 };
  const parts = Object.entries(FORBIDDEN_COLOURS) as [ForbiddenPart, readonly [number, number, number]][];
  const step = bytesPerPixel / pixels.length;
  for (let at = 0; at + 2 < pixels.length; at += bytesPerPixel) {
    const isNear = (colour: readonly number[]) =>
      colour.every((value, index) => Math.abs(value - (pixels[at + index] ?? 0)) <= TOLERANCE);
    const [part] = parts.find(([, colour]) => isNear(colour)) ?? [];
    if (part !== undefined) shares[part] += step;
  }
  return shares;
}
