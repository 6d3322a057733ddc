import config from './jest.config.js';

const servers = config.projects.find(({ displayName }) => displayName === 'servers');

/** What `npm run prove:delivery` chooses from: beside all other suites those that take too long for every run. */
export default {
  ...config,
  projects: [
    ...config.projects,
    {
      ...servers,
      displayName: 'proofs',
      testMatch: ['<rootDir>/test/**/*.proof.server.test.ts'],
      testPathIgnorePatterns: [],
    },
  ],
};
