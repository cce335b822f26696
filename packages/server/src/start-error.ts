/** Something that the operator has to mend before the server can run: a taken port, a missing file. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
