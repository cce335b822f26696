/** A command's action whose code is loaded when it is asked for: commands that need little start at once. */
export function lazily<Arguments extends unknown[]>(
  load: () => Promise<(...args: Arguments) => Promise<void> | void>,
): (...args: Arguments) => Promise<void> {
  return async (...args) => {
    const act = await load();
    await act(...args);
  };
}
