import t from 'tap';
import { isGlobalUnicast } from '../../../src/machinery/global-unicast.js';

t.test('addresses of servers, and those that mean this machine or its link', async t => {
  const rows = [
    { address: '10.244.0.2', expect: true },
    { address: 'fd00:10:244::2', expect: true },
    { address: 'FD00::0002', expect: true },
    { address: '127.0.0.1', expect: false },
    { address: '127.000.000.001', expect: false },
    { address: '::1', expect: false },
    { address: '0:0::1', expect: false },
    { address: '0.0.0.0', expect: false },
    { address: '::', expect: false },
    { address: '169.254.169.254', expect: false },
    { address: 'fe80::1', expect: false },
    { address: '224.0.0.1', expect: false },
    { address: '255.255.255.255', expect: false },
    { address: 'ff02::1', expect: false },
    { address: '::ffff:127.0.0.1', expect: false },
    { address: '::ffff:7f00:1', expect: false },
    { address: 'web', expect: false },
    { address: '', expect: false },
  ];
  for (const { address, expect } of rows) t.equal(isGlobalUnicast(address), expect, address);
});
