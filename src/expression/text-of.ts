/** A result as text: integers in decimal, times in ISO 8601, bytes as UTF-8. Null when it has none: nothing, a list, a map. */
export function textOf(result: unknown): string | null {
  switch (typeof result) {
    case 'string':
      return result;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(result);
    case 'object':
      if (result instanceof Date) return result.toISOString();
      if (result instanceof Uint8Array)
        return Buffer.from(result.buffer, result.byteOffset, result.byteLength).toString();
      return null;
    default:
      return null;
  }
}

/** What a result without text is, for messages. */
export function kindOf(result: unknown): string {
  if (result === null) return 'null';
  if (Array.isArray(result)) return 'a list';
  if (typeof result === 'object') return Object.getPrototypeOf(result) === Object.prototype ? 'a map' : 'an object';
  return typeof result === 'bigint' ? 'an int' : `a ${typeof result}`;
}
