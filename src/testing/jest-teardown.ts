export { globalTeardown as default } from './jest.js';
