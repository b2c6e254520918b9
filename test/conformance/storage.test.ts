import t from 'tap';
import { createMemoryStore } from '../../src/storage/memory/memory-store.js';
import { openLevelStore } from '../../src/storage/leveldb/level-store.js';
import { storageSuite } from './storage.js';

t.jobs = 1;
storageSuite(t, 'memory', async () => createMemoryStore());
storageSuite(t, 'leveldb', async t => openLevelStore(t.testdir()));
