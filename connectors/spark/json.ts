/** What a peer says, read leniently: a member that is missing or of another type is not there. */
export interface Members {
  text(name: string): string | null;
  number(name: string): number | null;
  flag(name: string): boolean | null;
  list(name: string): readonly Members[];
}

/** Null for anything but a JSON object. */
export function readObject(bytes: Uint8Array): Members | null {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch {
    return null;
  }
  return isObject(value) ? membersOf(value) : null;
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function membersOf(object: JsonObject): Members {
  const own = (name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined);
  return {
    text: (name) => {
      const value = own(name);
      return typeof value === 'string' ? value : null;
    },
    number: (name) => {
      const value = own(name);
      return typeof value === 'number' ? value : null;
    },
    flag: (name) => {
      const value = own(name);
      return typeof value === 'boolean' ? value : null;
    },
    list: (name) => {
      const value = own(name);
      return Array.isArray(value) ? value.filter(isObject).map(membersOf) : [];
    },
  };
}
