export default { test: { globalSetup: './kubette.setup.mjs', testTimeout: 60_000, hookTimeout: 60_000 } };
