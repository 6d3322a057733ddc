/** What connectors share: life cycle, TLS, authentication and limits of listeners; clients of HTTP with TLS, credentials, proxies. Exported as `sluice/toolkit`. */
export { authOptions, createAuthenticator, type Authenticator, type AuthOptions } from './auth.ts';
export { ClientGone, type HeldBody } from './body.ts';
export { allListeners, ByteBudget } from './byte-budget.ts';
export { checkListener } from './check-listener.ts';
export {
  allowOption,
  clientAddress,
  networkFault,
  networkList,
  networkPattern,
  networkProblems,
  Networks,
} from './client-address.ts';
export {
  clientAuthOptions,
  clientAuthProblems,
  clientBasicOptions,
  type ClientAuthOptions,
  type ClientCredentialOptions,
} from './client-auth.ts';
export { clientHeadersOption, clientHeaderProblems } from './client-headers.ts';
export { clientProxyOptions, type ClientProxyOptions } from './client-proxy.ts';
export {
  clientTlsOptions,
  clientTlsProblems,
  explainTlsFailure,
  loadClientTls,
  warnUnverified,
  type ClientTlsOptions,
  warnEveryMinute,
} from './client-tls.ts';
export { parseCron, type Cron } from './cron.ts';
export { corsOptions, CrossOrigin, isPreflight, type CorsOptions } from './cross-origin.ts';
export { bindUdp, receiveDatagrams } from './datagrams.ts';
export { contentCoding, Inflater, type ContentCoding } from './decompress.ts';
export { EndpointRing } from './endpoint-ring.ts';
export { GatheredRecords } from './gathered-records.ts';
export { headerName } from './header-name.ts';
export {
  HttpClients,
  type HttpClient,
  type HttpClientAnswer,
  type HttpClientRequest,
  type HttpClientSettings,
} from './http-client.ts';
export { HttpEndpoints, type Endpoint, type EndpointAnswer } from './http-endpoints.ts';
export { refusalAnswer, type HttpAnswer, type HttpExchange } from './http-exchange.ts';
export { listenHttp, type HttpListener, type HttpListenerLimits, type HttpListenerOptions } from './http-listener.ts';
export { lengthOptions } from './length-options.ts';
export { listenerProblems } from './listener-problems.ts';
export { bind, formatAddress, isLoopback, listenResource } from './listen.ts';
export { pinnedTlsOptions, pinnedTlsProblems, type PinnedTlsOptions } from './pinned-tls.ts';
export { Refusal } from './refusal.ts';
export { otherTurns, RequestGathering, roomFor } from './request-gathering.ts';
export { reservedHeader } from './reserved-header.ts';
export { retryAfterMs } from './retry-after.ts';
export { serveHttp } from './serve-http.ts';
export { serveStreams } from './serve-streams.ts';
export { Spare } from './spare.ts';
export { StreamBuffer } from './stream-buffer.ts';
export type { StreamClient, StreamProtocol } from './stream-listener.ts';
export { StreamMemory } from './stream-memory.ts';
export { tlsOptions, type TlsOptions } from './tls.ts';
export { receiveUnixDatagrams } from './unix-datagrams.ts';
export { unixSocketOptions, unixSocketProblems, unixSocketResource, type UnixSocketOptions } from './unix-socket.ts';
export { signatureCheck, signatureOptions, type SignatureCheck, type SignatureOptions } from './webhook-signature.ts';
export { crashPoint, type CrashPoint } from '../telemetry/index.ts';
