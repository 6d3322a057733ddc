import type { Path } from '../path.ts';
import { fileKafka } from './file-kafka.ts';

export const paths: readonly Path[] = [fileKafka];
