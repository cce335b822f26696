/** Records of one kind that several servers hold alike: what one changes, the others take over. */
export interface SharedRecords<T extends { readonly id: string }> {
  list(): readonly T[];
  get(id: string): T | undefined;
  /**
   * Called for each change that is made here, once it is in force; not for those that are taken over.
   *
   * @returns a function that removes the listener
   */
  onChange(listener: RecordListener<T>): () => void;
  /**
   * Takes over a change that was made elsewhere: in force at once; resolves when it would outlive a restart.
   *
   * @param record undefined where it is gone
   */
  adopt(id: string, record: T | undefined): Promise<void>;
}

/** @param record undefined where it was removed */
export type RecordListener<T> = (id: string, record: T | undefined) => void;
