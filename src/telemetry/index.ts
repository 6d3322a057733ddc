/** Logger, clock, and the metrics with their catalogue. */
export { METRIC, type MetricDescription } from './catalogue.ts';
export { realClock } from './clock.ts';
export { crashPoint, crashPoints, type CrashPoint } from './crash-points.ts';
export {
  createEntryLogger,
  createLogger,
  LOG_LEVELS,
  logEntry,
  type LogEntry,
  type LoggerOptions,
  type LogLevel,
} from './logger.ts';
export { MetricsRecorder, type Labels, type MetricsDelta } from './recorder.ts';
export { redirected } from './redirects.ts';
export { MetricsRegistry } from './registry.ts';
