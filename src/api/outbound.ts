/** Addresses that a hub lets its connectors connect to, by the hub file: IP addresses and ranges of them (`10.0.0.0/8`). */
export interface OutboundRules {
  readonly deny: readonly string[];
  /** What may be connected to although `deny` names it. */
  readonly allow: readonly string[];
}
