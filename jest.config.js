import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Hubs that tests start inherit it: a third of what a start takes is compiling.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'sluice-compile-cache');

/** @type {import('jest').Config} */
const common = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['sluice-source', 'node', 'node-addons'] },
  roots: ['<rootDir>/src', '<rootDir>/connectors', '<rootDir>/test'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
        swcrc: false,
      },
    ],
  },
  transformIgnorePatterns: [],
  runner: '<rootDir>/test/support/two-lanes-runner.cjs',
};

/** @type {import('jest').Config} */
const config = {
  projects: [
    {
      ...common,
      displayName: 'units',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.server\\.test\\.ts$'],
    },
    {
      ...common,
      displayName: 'servers',
      testMatch: ['<rootDir>/test/**/*.server.test.ts'],
      testPathIgnorePatterns: ['\\.proof\\.server\\.test\\.ts$'],
      globalSetup: '<rootDir>/test/support/begin-servers.ts',
      globalTeardown: '<rootDir>/test/support/end-servers.ts',
    },
  ],
  collectCoverageFrom: ['src/**/*.ts', 'connectors/**/*.ts'],
};
export default config;
