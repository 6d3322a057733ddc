/** The HTTP API of a hub: health, readiness, status, metrics. */
export { startAdmin, type AdminOptions, type AdminServer } from './server.ts';
export { loadToken, TOKEN_FILE } from './token.ts';
