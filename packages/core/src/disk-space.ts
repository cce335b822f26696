/** Room on a disk that the server writes to. */
export interface DiskSpace {
  /** What it is for: `data`, `recordings`. */
  readonly use: string;
  /** The directory that is to be written to. */
  readonly path: string;
  /** Bytes; undefined where the disk doesn't say, or not in time. */
  readonly total: number | undefined;
  readonly free: number | undefined;
}

/** Room on the disks that the server writes to. */
export interface Disks {
  spaces(): Promise<readonly DiskSpace[]>;
}
