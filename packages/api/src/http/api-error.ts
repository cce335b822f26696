/** An answer that is an error: a status, a stable code, a sentence, and the field that it is about, if there is one. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }

  /** As every route tells it. */
  toJSON(): object {
    const { code, message, field } = this;
    return { error: field === undefined ? { code, message } : { code, message, field } };
  }
}

export const notFound = (what: string): ApiError => new ApiError(404, 'not-found', `there is no ${what}`);
