import { testCommands } from './commands.js';

const ask = (text: string): string => `printf '${text}quit\\r\\n' | nc -w 5 127.0.0.1 11211`;

testCommands([
  {
    image: 'memcached',
    ready: 'nc -z 127.0.0.1 11211',
    rows: [
      { run: ask('set k 7 0 5\\r\\nhello\\r\\nget k\\r\\n'), stdout: 'STORED\r\nVALUE k 7 5\r\nhello\r\nEND\r\n' },
      { run: ask('get none\\r\\nget k none\\r\\n'), stdout: 'END\r\nVALUE k 7 5\r\nhello\r\nEND\r\n' },
      { run: ask('add k 0 0 1\\r\\nx\\r\\nreplace n 0 0 1\\r\\nx\\r\\n'), stdout: 'NOT_STORED\r\nNOT_STORED\r\n' },
      { run: ask('append k 0 0 1\\r\\n!\\r\\ngets k\\r\\n'), stdout: 'STORED\r\nVALUE k 7 6 2\r\nhello!\r\nEND\r\n' },
      { run: ask('cas k 0 0 1 1\\r\\nx\\r\\ncas k 0 0 1 2\\r\\ny\\r\\n'), stdout: 'EXISTS\r\nSTORED\r\n' },
      { run: ask('set n 0 0 2 noreply\\r\\n41\\r\\nincr n 1\\r\\ndecr n 50\\r\\n'), stdout: '42\r\n0\r\n' },
      { run: ask('incr k 1\\r\\ntouch n 100\\r\\n'), stdout: /^CLIENT_ERROR cannot increment.*\r\nTOUCHED\r\n$/ },
      { run: ask('delete n\\r\\ndelete n\\r\\n'), stdout: 'DELETED\r\nNOT_FOUND\r\n' },
      { run: ask('set gone 0 -1 1\\r\\nx\\r\\nget gone\\r\\n'), stdout: 'STORED\r\nEND\r\n' },
      { run: ask('version\\r\\n'), stdout: /^VERSION 1\.6/ },
      { run: ask('stats\\r\\n'), stdout: /STAT curr_items 1\r\n/ },
      { run: ask('set k x 0 1\\r\\n'), stdout: /^CLIENT_ERROR bad command line format/ },
      { run: ask('set k 0 0 1\\r\\ntoo long\\r\\n'), stdout: /^CLIENT_ERROR bad data chunk/ },
      { run: ask('get\\r\\nfrobnicate\\r\\n'), stdout: 'ERROR\r\nERROR\r\n' },
      { run: 'nc -w 5 127.0.0.1 11211', stdin: `get ${'k'.repeat(3000)}`, stdout: 'CLIENT_ERROR line too long\r\n' },
      {
        run: 'nc -w 5 127.0.0.1 11211',
        stdin: `set k 0 0 3000000\r\n${'x'.repeat(3_000_000)}\r\nquit\r\n`,
        stdout: /too large/,
      },
      { run: ask('flush_all\\r\\nget k\\r\\n'), stdout: 'OK\r\nEND\r\n' },
    ],
  },
  {
    name: 'memcached forgets what was used longest ago',
    image: 'bitnami/memcached',
    args: ['memcached', '-m', '1', '-p', '2000'],
    ready: 'nc -z 127.0.0.1 2000',
    rows: [
      {
        run: 'nc -w 5 127.0.0.1 2000',
        stdin: `${['a', 'b', 'c'].map(key => `set ${key} 0 0 500000\r\n${'x'.repeat(500_000)}\r\n`).join('')}stats\r\nquit\r\n`,
        stdout: /STAT curr_items 2\r\nSTAT evictions 1\r\n/,
      },
    ],
  },
]);
