/** Names of headers to which the engine gives meaning: clients must not set them. */
const RESERVED = /^(?:__connect|sluice)\./i;

/** What is wrong with a record header of this name, for `validate` of a source; null when nothing is. */
export function reservedHeader(name: string): string | null {
  return RESERVED.test(name) ? `${JSON.stringify(name)} is a name that dead letters use; choose another one` : null;
}
