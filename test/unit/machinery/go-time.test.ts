import t from 'tap';
import { canonicalTime } from '../../../src/machinery/go-time.js';

t.test('times as Go reads them', async t => {
  const cases: [text: string, layout: 'seconds' | 'micros', expect: string][] = [
    ['2026-02-28T23:59:59Z', 'seconds', '2026-02-28T23:59:59Z'],
    ['2024-02-29T00:00:00-02:30', 'seconds', '2024-02-29T02:30:00Z'],
    ['2026-01-01T00:00:00.123456789Z', 'seconds', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.123456+00:00', 'micros', '2026-01-01T00:00:00.123456Z'],
    ['', 'seconds', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
    ['2026-02-29T00:00:00Z', 'seconds', 'parsing time "2026-02-29T00:00:00Z": day out of range'],
    ['2026-13-01T00:00:00Z', 'seconds', 'parsing time "2026-13-01T00:00:00Z": month out of range'],
    ['2026-01-01', 'seconds', 'parsing time "2026-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    ['2026-01-01T00:00:00Zx', 'seconds', 'parsing time "2026-01-01T00:00:00Zx": extra text: "x"'],
    [
      '2026-01-01T00:00:00Z',
      'micros',
      'parsing time "2026-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
  ];
  for (const [text, layout, expect] of cases) {
    let got: string;
    try {
      got = canonicalTime(text, layout);
    } catch (error) {
      got = (error as Error).message;
    }
    t.equal(got, expect, `${layout} ${text}`);
  }
});
