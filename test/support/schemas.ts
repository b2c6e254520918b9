import { createCatalog } from '../../src/api/create-catalog.js';
import { loadApi } from '../../src/api/load.js';

export const api = loadApi();

export const catalog = createCatalog({}, api);
