/** Something that the operator has to mend before the server can run: a taken port, a missing file. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** What the command is to end with; undefined for that of all of these. */
  readonly exitCode: number | undefined;

  constructor(message: string, exitCode?: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
