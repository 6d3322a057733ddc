/** So long a topic that is looked up may be unknown: brokers hear of a new one a moment after the controller. By the clock of the client. */
export const UNKNOWN_TO_READERS_MS = 1500;

/**
 * So long a topic may be unknown before what is written to it is refused. Longer, for the writer has nowhere else to go: it may be a topic that an operator
 * deletes and makes again, or a broker that has just started. By the clock of the client.
 */
export const UNKNOWN_TO_WRITERS_MS = 10_000;
