/** A request that the API refused, or that never reached it. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  /** 0 where no answer came. */
  readonly status: number;
  /** Stable: `not-found`, `bad-request`, …; `network` where no answer came. */
  readonly code: string;
  /** What of the request it is about. */
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.field = field;
  }

  static network(cause: unknown): ApiFailure {
    return new ApiFailure(0, 'network', 'the server does not answer', undefined, { cause });
  }
}

/** What an answer that is an error says. */
export async function failureOf(response: Response): Promise<ApiFailure> {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; field?: string } };
    return new ApiFailure(response.status, error.code, error.message, error.field);
  } catch {
    return new ApiFailure(response.status, 'unknown', `the server answered ${response.status}`);
  }
}
