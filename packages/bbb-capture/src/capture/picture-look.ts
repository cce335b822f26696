/** What a captured picture is like; of luma, 0 to 255. */
export interface PictureLook {
  readonly mean: number;
  readonly deviation: number;
  /** Mean difference to the look before. */
  readonly change: number;
  /** Pictures so far; it goes on for as long as they come. */
  readonly captured: number;
  /** Those of them that the encoder had no time for. */
  readonly skipped: number;
}
