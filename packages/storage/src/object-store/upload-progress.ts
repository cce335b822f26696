/** A part that the object store has. */
export interface UploadedPart {
  readonly etag: string;
  /** Of its bytes, in hex. */
  readonly sha256: string;
}

/** How far the upload of a file in parts has come: kept, so that it goes on after a restart. */
export interface UploadProgress {
  /** Of the recorded file. */
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** Of each part but the last. */
  readonly partBytes: number;
  /** The first ones, in their order. */
  readonly parts: readonly UploadedPart[];
}
