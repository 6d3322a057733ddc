/** Handles what `source` gives, so many at a time, and resolves when all is done. Rejects with the first error. */
export async function inFlight<Item>(
  source: AsyncIterator<Item, unknown>,
  limit: number,
  handle: (item: Item) => Promise<unknown>,
): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let next = await source.next(); next.done !== true; next = await source.next()) await handle(next.value);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
