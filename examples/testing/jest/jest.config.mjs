export default {
  testMatch: ['**/*.test.mjs'],
  transform: {},
  globalSetup: './kubette.setup.mjs',
  globalTeardown: 'kubette/jest/teardown',
  testTimeout: 60_000,
};
