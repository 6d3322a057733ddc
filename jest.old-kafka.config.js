import config from './jest.config.js';

const servers = config.projects.find(({ displayName }) => displayName === 'servers');

/** `npm run test:old-kafka`: suites on brokers of before 4.0, which take too long for every run. */
export default {
  ...servers,
  displayName: 'old Kafka',
  testMatch: ['<rootDir>/test/kafka/old-brokers.ts'],
};
