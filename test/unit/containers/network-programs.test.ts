import t from 'tap';
import { execute } from '../../support/simulated-container.js';
import { stillNetwork } from '../../support/still-stack.js';

/**
 * What BusyBox 1.35, iproute2 6.1 and net-tools 2.10 print in a network like the still one. What differs: a link's other end
 * was in the same namespace there.
 */
const RECORDED: readonly (readonly [image: string, command: string, output: string])[] = [
  [
    'netshoot',
    'ss -ltn',
    `State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
LISTEN 0      128          0.0.0.0:80        0.0.0.0:*          
LISTEN 0      128        127.0.0.1:9090      0.0.0.0:*          
`,
  ],
  [
    'netshoot',
    'ss -tn',
    `State Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
ESTAB 0      0         10.244.1.5:80      10.244.1.5:41186       
ESTAB 0      0         10.244.1.5:41186   10.244.1.5:80          
`,
  ],
  [
    'netshoot',
    'ss -uln',
    `State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
UNCONN 0      0            0.0.0.0:53        0.0.0.0:*          
`,
  ],
  [
    'netshoot',
    'ss -tuln',
    `Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
udp   UNCONN 0      0            0.0.0.0:53        0.0.0.0:*          
tcp   LISTEN 0      128          0.0.0.0:80        0.0.0.0:*          
tcp   LISTEN 0      128        127.0.0.1:9090      0.0.0.0:*          
`,
  ],
  [
    'netshoot',
    'ss -tan',
    `State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
LISTEN 0      128          0.0.0.0:80         0.0.0.0:*           
LISTEN 0      128        127.0.0.1:9090       0.0.0.0:*           
ESTAB  0      0         10.244.1.5:80      10.244.1.5:41186       
ESTAB  0      0         10.244.1.5:41186   10.244.1.5:80          
`,
  ],
  [
    'netshoot',
    'ss -H -tan',
    `LISTEN 0      128       0.0.0.0:80       0.0.0.0:*    
LISTEN 0      128     127.0.0.1:9090     0.0.0.0:*    
ESTAB  0      0      10.244.1.5:80    10.244.1.5:41186
ESTAB  0      0      10.244.1.5:41186 10.244.1.5:80   
`,
  ],
  [
    'netshoot',
    'ss -tan state established',
    `Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
0      0         10.244.1.5:80      10.244.1.5:41186       
0      0         10.244.1.5:41186   10.244.1.5:80          
`,
  ],
  [
    'netshoot',
    'ss -tan state listening',
    `Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
0      128          0.0.0.0:80        0.0.0.0:*          
0      128        127.0.0.1:9090      0.0.0.0:*          
`,
  ],
  [
    'netshoot',
    'ss -tn dport = :80',
    `State Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
ESTAB 0      0         10.244.1.5:41186   10.244.1.5:80         
`,
  ],
  [
    'netshoot',
    'ss -t',
    `State Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
ESTAB 0      0         10.244.1.5:http    10.244.1.5:41186       
ESTAB 0      0         10.244.1.5:41186   10.244.1.5:http        
`,
  ],
  [
    'netshoot',
    'ss -lt',
    `State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
LISTEN 0      128          0.0.0.0:http      0.0.0.0:*          
LISTEN 0      128        127.0.0.1:9090      0.0.0.0:*          
`,
  ],
  [
    'netshoot',
    'netstat -tln',
    `Active Internet connections (only servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State      
tcp        0      0 0.0.0.0:80              0.0.0.0:*               LISTEN     
tcp        0      0 127.0.0.1:9090          0.0.0.0:*               LISTEN     
`,
  ],
  [
    'netshoot',
    'netstat -tan',
    `Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State      
tcp        0      0 0.0.0.0:80              0.0.0.0:*               LISTEN     
tcp        0      0 127.0.0.1:9090          0.0.0.0:*               LISTEN     
tcp        0      0 10.244.1.5:80           10.244.1.5:41186        ESTABLISHED
tcp        0      0 10.244.1.5:41186        10.244.1.5:80           ESTABLISHED
`,
  ],
  [
    'netshoot',
    'netstat -rn',
    `Kernel IP routing table
Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface
0.0.0.0         10.244.1.1      0.0.0.0         UG        0 0          0 eth0
10.244.1.0      0.0.0.0         255.255.255.0   U         0 0          0 eth0
`,
  ],
  [
    'netshoot',
    'ip -4 addr show eth0',
    `3: eth0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    inet 10.244.1.5/24 brd 10.244.1.255 scope global eth0
       valid_lft forever preferred_lft forever
`,
  ],
  [
    'netshoot',
    'ip route',
    `default via 10.244.1.1 dev eth0 
10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.5 
`,
  ],
  [
    'netshoot',
    'ip route get 10.244.2.7',
    `10.244.2.7 via 10.244.1.1 dev eth0 src 10.244.1.5 uid 0 
    cache 
`,
  ],
  [
    'netshoot',
    'ip route get 10.244.1.9',
    `10.244.1.9 dev eth0 src 10.244.1.5 uid 0 
    cache 
`,
  ],
  [
    'netshoot',
    'ip rule',
    `0:	from all lookup local
32766:	from all lookup main
32767:	from all lookup default
`,
  ],
  [
    'netshoot',
    'ip addr show dev nope',
    `Device "nope" does not exist.
`,
  ],
  [
    'netshoot',
    'ip foo',
    `Object "foo" is unknown, try "ip help".
`,
  ],
  [
    'netshoot',
    'ip neigh',
    `10.244.1.1 dev eth0 lladdr 02:42:0a:f4:01:01 REACHABLE 
10.244.1.9 dev eth0 lladdr 02:42:0a:f4:01:09 STALE 
`,
  ],
  [
    'netshoot',
    'ip -br neigh',
    `10.244.1.1                              eth0             02:42:0a:f4:01:01
10.244.1.9                              eth0             02:42:0a:f4:01:09
`,
  ],
  [
    'netshoot',
    'ip neigh show 10.244.1.9',
    `10.244.1.9 dev eth0 lladdr 02:42:0a:f4:01:09 STALE 
`,
  ],
  [
    'netshoot',
    'arp -an',
    `? (10.244.1.1) at 02:42:0a:f4:01:01 [ether] on eth0
? (10.244.1.9) at 02:42:0a:f4:01:09 [ether] on eth0
`,
  ],
  [
    'netshoot',
    'arp -n',
    `Address                  HWtype  HWaddress           Flags Mask            Iface
10.244.1.1               ether   02:42:0a:f4:01:01   C                     eth0
10.244.1.9               ether   02:42:0a:f4:01:09   C                     eth0
`,
  ],
  [
    'busybox',
    'netstat -tan',
    `Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       
tcp        0      0 0.0.0.0:80              0.0.0.0:*               LISTEN      
tcp        0      0 127.0.0.1:9090          0.0.0.0:*               LISTEN      
tcp        0      0 10.244.1.5:80           10.244.1.5:41186        ESTABLISHED 
tcp        0      0 10.244.1.5:41186        10.244.1.5:80           ESTABLISHED 
`,
  ],
  [
    'busybox',
    'netstat -tuln',
    `Active Internet connections (only servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       
tcp        0      0 0.0.0.0:80              0.0.0.0:*               LISTEN      
tcp        0      0 127.0.0.1:9090          0.0.0.0:*               LISTEN      
udp        0      0 0.0.0.0:53              0.0.0.0:*                           
`,
  ],
  [
    'busybox',
    'netstat -rn',
    `Kernel IP routing table
Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface
0.0.0.0         10.244.1.1      0.0.0.0         UG        0 0          0 eth0
10.244.1.0      0.0.0.0         255.255.255.0   U         0 0          0 eth0
`,
  ],
  [
    'busybox',
    'netstat -an',
    `Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       
tcp        0      0 0.0.0.0:80              0.0.0.0:*               LISTEN      
tcp        0      0 127.0.0.1:9090          0.0.0.0:*               LISTEN      
tcp        0      0 10.244.1.5:80           10.244.1.5:41186        ESTABLISHED 
tcp        0      0 10.244.1.5:41186        10.244.1.5:80           ESTABLISHED 
udp        0      0 0.0.0.0:53              0.0.0.0:*                           
Active UNIX domain sockets (servers and established)
Proto RefCnt Flags       Type       State         I-Node Path
`,
  ],
  [
    'busybox',
    'ip rule',
    `0:	from all lookup local 
32766:	from all lookup main 
32767:	from all lookup default 
`,
  ],
  [
    'busybox',
    'ip neigh',
    `10.244.1.1 dev eth0 lladdr 02:42:0a:f4:01:01 ref 1 used 0/0/0 probes 0 REACHABLE
10.244.1.9 dev eth0 lladdr 02:42:0a:f4:01:09 used 0/0/0 probes 0 STALE
`,
  ],
  [
    'busybox',
    'ip addr show dev nope',
    `ip: can't find device 'nope'
`,
  ],
  [
    'busybox',
    'arp',
    `? (10.244.1.1) at 02:42:0a:f4:01:01 [ether]  on eth0
? (10.244.1.9) at 02:42:0a:f4:01:09 [ether]  on eth0
`,
  ],
  [
    'busybox',
    'arp -an',
    `? (10.244.1.1) at 02:42:0a:f4:01:01 [ether]  on eth0
? (10.244.1.9) at 02:42:0a:f4:01:09 [ether]  on eth0
`,
  ],
  [
    'busybox',
    'ip route',
    `default via 10.244.1.1 dev eth0 
10.244.1.0/24 dev eth0 scope link  src 10.244.1.5 
`,
  ],
  [
    'busybox',
    'ip route get 10.244.2.7',
    `10.244.2.7 via 10.244.1.1 dev eth0  src 10.244.1.5 
`,
  ],
  [
    'busybox',
    'ip route get 127.0.0.1',
    `local 127.0.0.1 dev lo  src 127.0.0.1 
`,
  ],
  [
    'busybox',
    'ip route get 10.244.1.7',
    `10.244.1.7 dev eth0  src 10.244.1.5 
`,
  ],
  [
    'busybox',
    'route -n',
    `Kernel IP routing table
Destination     Gateway         Genmask         Flags Metric Ref    Use Iface
0.0.0.0         10.244.1.1      0.0.0.0         UG    0      0        0 eth0
10.244.1.0      0.0.0.0         255.255.255.0   U     0      0        0 eth0
`,
  ],
  [
    'busybox',
    'route',
    `Kernel IP routing table
Destination     Gateway         Genmask         Flags Metric Ref    Use Iface
default         10.244.1.1      0.0.0.0         UG    0      0        0 eth0
10.244.1.0      *               255.255.255.0   U     0      0        0 eth0
`,
  ],
  [
    'netshoot',
    'ip route show dev eth0',
    `default via 10.244.1.1 
10.244.1.0/24 proto kernel scope link src 10.244.1.5 
`,
  ],
  [
    'netshoot',
    'ip -o -4 addr show eth0',
    `3: eth0    inet 10.244.1.5/24 brd 10.244.1.255 scope global eth0\\       valid_lft forever preferred_lft forever
`,
  ],
  [
    'netshoot',
    'ip -6 rule',
    `0:	from all lookup local
32766:	from all lookup main
`,
  ],
  [
    'netshoot',
    'ip r get abc',
    `Error: any valid prefix is expected rather than "abc".
`,
  ],
];

t.test('links, routes, neighbours and sockets are printed as the real tools print them', async t => {
  const network = stillNetwork();
  for (const [image, command, output] of RECORDED) {
    const { stdout, stderr } = await execute(['sh', '-c', command], { network, image });
    t.equal(stdout + stderr, output, `${image}: ${command}`);
  }
});

const REFUSED: readonly {
  readonly image: string;
  readonly script: string;
  readonly stderr: string;
  readonly exit: number;
}[] = [
  {
    image: 'netshoot',
    script: 'ip link set eth0 down',
    stderr: 'RTNETLINK answers: Operation not permitted\n',
    exit: 2,
  },
  {
    image: 'busybox',
    script: 'ip route add 1.2.3.4 via 10.244.1.1',
    stderr: 'ip: RTNETLINK answers: Operation not permitted\n',
    exit: 2,
  },
  { image: 'netshoot', script: 'ip -j addr', stderr: 'ip: not simulated here: ip -j\n', exit: 1 },
  { image: 'netshoot', script: 'ip route show table all', stderr: 'ip: not simulated here: table all\n', exit: 1 },
  { image: 'netshoot', script: 'ss -i', stderr: 'ss: not simulated here: ss -i\n', exit: 1 },
  { image: 'netshoot', script: 'ss -tn foo', stderr: 'ss: not simulated here: the filter "foo"\n', exit: 1 },
  { image: 'netshoot', script: 'tcpdump -X', stderr: 'tcpdump: not simulated here: tcpdump -X\n', exit: 1 },
  {
    image: 'netshoot',
    script: 'tcpdump -i nope',
    stderr: 'tcpdump: nope: No such device exists\n(No such device exists)\n',
    exit: 1,
  },
  { image: 'busybox', script: 'dig web', stderr: 'sh: dig: not found\n', exit: 127 },
  { image: 'busybox', script: 'ss -tln', stderr: 'sh: ss: not found\n', exit: 127 },
  { image: 'busybox', script: 'tcpdump', stderr: 'sh: tcpdump: not found\n', exit: 127 },
];

t.test('what is not simulated, or not there, is said by name', async t => {
  const network = stillNetwork();
  for (const { image, script, stderr, exit } of REFUSED)
    t.same(await execute(['sh', '-c', script], { network, image }), { stdout: '', stderr, exit }, script);
});

t.test('nobody but root reads packets', async t => {
  const credentials = { uid: 1000, gid: 1000, groups: [1000] };
  const result = await execute(['tcpdump', '-n', '-i', 'eth0'], {
    network: stillNetwork(),
    image: 'netshoot',
    credentials,
  });
  const stderr =
    "tcpdump: eth0: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)\n";
  t.same(result, { stdout: '', stderr, exit: 1 });
});
