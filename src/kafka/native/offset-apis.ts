import { kafka } from './package.ts';

export const offsetFetchApis: readonly (typeof kafka.offsetFetchV2.api)[] = [
  kafka.offsetFetchV2.api,
  kafka.offsetFetchV3.api,
  kafka.offsetFetchV4.api,
  kafka.offsetFetchV5.api,
  kafka.offsetFetchV6.api,
  kafka.offsetFetchV7.api,
];
/** From 3.0 on: of several groups at a time. */
export const offsetFetchOfGroupsApis: readonly (typeof kafka.offsetFetchV8.api)[] = [
  kafka.offsetFetchV8.api,
  kafka.offsetFetchV9.api,
];

export const offsetCommitApis: readonly (typeof kafka.offsetCommitV2.api)[] = [
  kafka.offsetCommitV2.api,
  kafka.offsetCommitV3.api,
  kafka.offsetCommitV4.api,
  kafka.offsetCommitV5.api,
  kafka.offsetCommitV6.api,
  kafka.offsetCommitV7.api,
  kafka.offsetCommitV8.api,
  kafka.offsetCommitV9.api,
];
