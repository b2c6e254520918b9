import t from 'tap';
import { unifiedDiff } from '../../../src/kinds/validation/spec-diff.js';

t.test('a unified diff keeps the longest blocks', async t => {
  t.equal(unifiedDiff('a\nb\nc', 'a\nb\nc'), '');
  t.equal(unifiedDiff('{\n}\n{\nx\n}', '{\n}'), '@@ -1,5 +1,2 @@\n {\n }\n-{\n-x\n-}\n');
  t.equal(unifiedDiff('a', 'b'), '@@ -1 +1 @@\n-a\n+b\n');
});
