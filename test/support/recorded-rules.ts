/* What iptables 1.8.9 (nf_tables) and ipset 7.17 print after the same rules were loaded into Linux 6.1. */

/** For iptables-restore. */
export const RULES = `*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES -m comment --comment "default/web:http cluster IP" -m tcp -p tcp -d 10.96.0.20 --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "x" -m tcp -p tcp -d 10.96.0.20 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "default/web -> 10.244.1.5:80" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-BBBBBBBBBBBBBBBB
-A KUBE-SVC-AAAAAAAAAAAAAAAA -m recent --name KUBE-SEP-BBBBBBBBBBBBBBBB --rcheck --seconds 10800 --reap -j KUBE-SEP-BBBBBBBBBBBBBBBB
-A KUBE-SEP-BBBBBBBBBBBBBBBB -m comment --comment default/web -s 10.244.1.5 -j KUBE-MARK-MASQ
-A KUBE-SEP-BBBBBBBBBBBBBBBB -m comment --comment default/web -m recent --name KUBE-SEP-BBBBBBBBBBBBBBBB --set -m tcp -p tcp -j DNAT --to-destination 10.244.1.5:80
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-NODEPORTS -d 127.0.0.0/8 -p udp --dport 1000:2000 -j REDIRECT --to-ports 99
-A KUBE-NODEPORTS -i eth0 -p sctp --dport 5 -j RETURN
-A KUBE-NODEPORTS -p tcp -j REDIRECT
-A KUBE-NODEPORTS -p udp -g KUBE-MARK-MASQ
COMMIT
*filter
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-CANARY - [0:0]
-A INPUT -j KUBE-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -p tcp -d 10.96.0.9 --dport 80 -j REJECT
-A KUBE-FORWARD -p icmp -j ACCEPT
-A KUBE-FORWARD -o eth0 -m mark --mark 0x1 -j REJECT --reject-with tcp-reset -p tcp
-A KUBE-FORWARD -m state --state NEW -j ACCEPT
COMMIT
*raw
-A PREROUTING -d 10.96.0.5 -j CT --notrack
COMMIT
`;

/** Of those the match by a set was added by itself. */
export const SET_RULE = `*filter
-A FORWARD -m set --match-set KUBE-X dst,dst -j ACCEPT
COMMIT
`;

export const RECORDED: readonly (readonly [command: string, output: string])[] = [
  [
    'iptables -t nat -L -n',
    `Chain PREROUTING (policy ACCEPT)
target     prot opt source               destination         
KUBE-SERVICES  0    --  0.0.0.0/0            0.0.0.0/0            /* kubernetes service portals */

Chain INPUT (policy ACCEPT)
target     prot opt source               destination         

Chain OUTPUT (policy ACCEPT)
target     prot opt source               destination         
KUBE-SERVICES  0    --  0.0.0.0/0            0.0.0.0/0            /* kubernetes service portals */

Chain POSTROUTING (policy ACCEPT)
target     prot opt source               destination         
KUBE-POSTROUTING  0    --  0.0.0.0/0            0.0.0.0/0            /* kubernetes postrouting rules */

Chain KUBE-MARK-MASQ (3 references)
target     prot opt source               destination         
MARK       0    --  0.0.0.0/0            0.0.0.0/0            MARK or 0x4000

Chain KUBE-NODEPORTS (1 references)
target     prot opt source               destination         
REDIRECT   17   --  0.0.0.0/0            127.0.0.0/8          udp dpts:1000:2000 redir ports 99
RETURN     132  --  0.0.0.0/0            0.0.0.0/0            sctp dpt:5
REDIRECT   6    --  0.0.0.0/0            0.0.0.0/0           
KUBE-MARK-MASQ  17   --  0.0.0.0/0            0.0.0.0/0           [goto] 

Chain KUBE-POSTROUTING (1 references)
target     prot opt source               destination         
RETURN     0    --  0.0.0.0/0            0.0.0.0/0            mark match ! 0x4000/0x4000
MARK       0    --  0.0.0.0/0            0.0.0.0/0            MARK xor 0x4000
MASQUERADE  0    --  0.0.0.0/0            0.0.0.0/0            /* kubernetes service traffic requiring SNAT */ random-fully

Chain KUBE-SEP-BBBBBBBBBBBBBBBB (2 references)
target     prot opt source               destination         
KUBE-MARK-MASQ  0    --  10.244.1.5           0.0.0.0/0            /* default/web */
DNAT       6    --  0.0.0.0/0            0.0.0.0/0            /* default/web */ recent: SET name: KUBE-SEP-BBBBBBBBBBBBBBBB side: source mask: 255.255.255.255 tcp to:10.244.1.5:80

Chain KUBE-SERVICES (2 references)
target     prot opt source               destination         
KUBE-SVC-AAAAAAAAAAAAAAAA  6    --  0.0.0.0/0            10.96.0.20           /* default/web:http cluster IP */ tcp dpt:80
KUBE-NODEPORTS  0    --  0.0.0.0/0            0.0.0.0/0            /* kubernetes service nodeports; NOTE: this must be the last rule in this chain */ ADDRTYPE match dst-type LOCAL

Chain KUBE-SVC-AAAAAAAAAAAAAAAA (1 references)
target     prot opt source               destination         
KUBE-MARK-MASQ  6    -- !10.244.0.0/16        10.96.0.20           /* x */ tcp dpt:80
KUBE-SEP-BBBBBBBBBBBBBBBB  0    --  0.0.0.0/0            0.0.0.0/0            /* default/web -> 10.244.1.5:80 */ statistic mode random probability 0.50000000000
KUBE-SEP-BBBBBBBBBBBBBBBB  0    --  0.0.0.0/0            0.0.0.0/0            recent: CHECK seconds: 10800 reap name: KUBE-SEP-BBBBBBBBBBBBBBBB side: source mask: 255.255.255.255
`,
  ],
  [
    'iptables -t nat -L -n -v',
    `Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 KUBE-SERVICES  0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes service portals */

Chain INPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 KUBE-SERVICES  0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes service portals */

Chain POSTROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 KUBE-POSTROUTING  0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes postrouting rules */

Chain KUBE-MARK-MASQ (3 references)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 MARK       0    --  *      *       0.0.0.0/0            0.0.0.0/0            MARK or 0x4000

Chain KUBE-NODEPORTS (1 references)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 REDIRECT   17   --  *      *       0.0.0.0/0            127.0.0.0/8          udp dpts:1000:2000 redir ports 99
    0     0 RETURN     132  --  eth0   *       0.0.0.0/0            0.0.0.0/0            sctp dpt:5
    0     0 REDIRECT   6    --  *      *       0.0.0.0/0            0.0.0.0/0           
    0     0 KUBE-MARK-MASQ  17   --  *      *       0.0.0.0/0            0.0.0.0/0           [goto] 

Chain KUBE-POSTROUTING (1 references)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 RETURN     0    --  *      *       0.0.0.0/0            0.0.0.0/0            mark match ! 0x4000/0x4000
    0     0 MARK       0    --  *      *       0.0.0.0/0            0.0.0.0/0            MARK xor 0x4000
    0     0 MASQUERADE  0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes service traffic requiring SNAT */ random-fully

Chain KUBE-SEP-BBBBBBBBBBBBBBBB (2 references)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 KUBE-MARK-MASQ  0    --  *      *       10.244.1.5           0.0.0.0/0            /* default/web */
    0     0 DNAT       6    --  *      *       0.0.0.0/0            0.0.0.0/0            /* default/web */ recent: SET name: KUBE-SEP-BBBBBBBBBBBBBBBB side: source mask: 255.255.255.255 tcp to:10.244.1.5:80

Chain KUBE-SERVICES (2 references)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 KUBE-SVC-AAAAAAAAAAAAAAAA  6    --  *      *       0.0.0.0/0            10.96.0.20           /* default/web:http cluster IP */ tcp dpt:80
    0     0 KUBE-NODEPORTS  0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes service nodeports; NOTE: this must be the last rule in this chain */ ADDRTYPE match dst-type LOCAL

Chain KUBE-SVC-AAAAAAAAAAAAAAAA (1 references)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 KUBE-MARK-MASQ  6    --  *      *      !10.244.0.0/16        10.96.0.20           /* x */ tcp dpt:80
    0     0 KUBE-SEP-BBBBBBBBBBBBBBBB  0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* default/web -> 10.244.1.5:80 */ statistic mode random probability 0.50000000000
    0     0 KUBE-SEP-BBBBBBBBBBBBBBBB  0    --  *      *       0.0.0.0/0            0.0.0.0/0            recent: CHECK seconds: 10800 reap name: KUBE-SEP-BBBBBBBBBBBBBBBB side: source mask: 255.255.255.255
`,
  ],
  [
    'iptables -L -n -v --line-numbers',
    `Chain INPUT (policy ACCEPT 0 packets, 0 bytes)
num   pkts bytes target     prot opt in     out     source               destination         
1        0     0 KUBE-FIREWALL  0    --  *      *       0.0.0.0/0            0.0.0.0/0           

Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)
num   pkts bytes target     prot opt in     out     source               destination         
1        0     0 KUBE-FORWARD  0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes forwarding rules */
2        0     0 ACCEPT     0    --  *      *       0.0.0.0/0            0.0.0.0/0            match-set KUBE-X dst,dst

Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
num   pkts bytes target     prot opt in     out     source               destination         

Chain KUBE-FIREWALL (1 references)
num   pkts bytes target     prot opt in     out     source               destination         
1        0     0 DROP       0    --  *      *      !127.0.0.0/8          127.0.0.0/8          /* block incoming localnet connections */ ! ctstate RELATED,ESTABLISHED,DNAT

Chain KUBE-FORWARD (1 references)
num   pkts bytes target     prot opt in     out     source               destination         
1        0     0 DROP       0    --  *      *       0.0.0.0/0            0.0.0.0/0            ctstate INVALID
2        0     0 ACCEPT     0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes forwarding rules */ mark match 0x4000/0x4000
3        0     0 REJECT     6    --  *      *       0.0.0.0/0            10.96.0.9            tcp dpt:80 reject-with icmp-port-unreachable
4        0     0 ACCEPT     1    --  *      *       0.0.0.0/0            0.0.0.0/0           
5        0     0 REJECT     6    --  *      eth0    0.0.0.0/0            0.0.0.0/0            mark match 0x1 reject-with tcp-reset
6        0     0 ACCEPT     0    --  *      *       0.0.0.0/0            0.0.0.0/0            state NEW

Chain KUBE-PROXY-CANARY (0 references)
num   pkts bytes target     prot opt in     out     source               destination         
`,
  ],
  [
    'iptables -L KUBE-FORWARD -n',
    `Chain KUBE-FORWARD (1 references)
target     prot opt source               destination         
DROP       0    --  0.0.0.0/0            0.0.0.0/0            ctstate INVALID
ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            /* kubernetes forwarding rules */ mark match 0x4000/0x4000
REJECT     6    --  0.0.0.0/0            10.96.0.9            tcp dpt:80 reject-with icmp-port-unreachable
ACCEPT     1    --  0.0.0.0/0            0.0.0.0/0           
REJECT     6    --  0.0.0.0/0            0.0.0.0/0            mark match 0x1 reject-with tcp-reset
ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            state NEW
`,
  ],
  [
    'iptables -t nat -S',
    `-P PREROUTING ACCEPT
-P INPUT ACCEPT
-P OUTPUT ACCEPT
-P POSTROUTING ACCEPT
-N KUBE-MARK-MASQ
-N KUBE-NODEPORTS
-N KUBE-POSTROUTING
-N KUBE-SEP-BBBBBBBBBBBBBBBB
-N KUBE-SERVICES
-N KUBE-SVC-AAAAAAAAAAAAAAAA
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-NODEPORTS -d 127.0.0.0/8 -p udp -m udp --dport 1000:2000 -j REDIRECT --to-ports 99
-A KUBE-NODEPORTS -i eth0 -p sctp -m sctp --dport 5 -j RETURN
-A KUBE-NODEPORTS -p tcp -j REDIRECT
-A KUBE-NODEPORTS -p udp -g KUBE-MARK-MASQ
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SEP-BBBBBBBBBBBBBBBB -s 10.244.1.5/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m comment --comment "default/web" -m recent --set --name KUBE-SEP-BBBBBBBBBBBBBBBB --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.244.1.5:80
-A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-AAAAAAAAAAAAAAAA ! -s 10.244.0.0/16 -d 10.96.0.20/32 -p tcp -m comment --comment x -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "default/web -> 10.244.1.5:80" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-BBBBBBBBBBBBBBBB
-A KUBE-SVC-AAAAAAAAAAAAAAAA -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-BBBBBBBBBBBBBBBB --mask 255.255.255.255 --rsource -j KUBE-SEP-BBBBBBBBBBBBBBBB
`,
  ],
  [
    'iptables -t nat -S KUBE-SERVICES',
    `-N KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
`,
  ],
  [
    'iptables -t raw -L -n',
    `Chain PREROUTING (policy ACCEPT)
target     prot opt source               destination         
CT         0    --  0.0.0.0/0            10.96.0.5            CT notrack

Chain OUTPUT (policy ACCEPT)
target     prot opt source               destination         
`,
  ],
  [
    'iptables -L INPUT',
    `Chain INPUT (policy ACCEPT)
target     prot opt source               destination         
KUBE-FIREWALL  all  --  anywhere             anywhere            
`,
  ],
  [
    'iptables -t nat -L KUBE-SERVICES -nvx',
    `Chain KUBE-SERVICES (2 references)
    pkts      bytes target     prot opt in     out     source               destination         
       0        0 KUBE-SVC-AAAAAAAAAAAAAAAA  6    --  *      *       0.0.0.0/0            10.96.0.20           /* default/web:http cluster IP */ tcp dpt:80
       0        0 KUBE-NODEPORTS  0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes service nodeports; NOTE: this must be the last rule in this chain */ ADDRTYPE match dst-type LOCAL
`,
  ],
  [
    'iptables -S -v',
    `-P INPUT ACCEPT -c 0 0
-P FORWARD ACCEPT -c 0 0
-P OUTPUT ACCEPT -c 0 0
-N KUBE-FIREWALL
-N KUBE-FORWARD
-N KUBE-PROXY-CANARY
-A INPUT -c 0 0 -j KUBE-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -c 0 0 -j KUBE-FORWARD
-A FORWARD -m set --match-set KUBE-X dst,dst -c 0 0 -j ACCEPT
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -c 0 0 -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -c 0 0 -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -c 0 0 -j ACCEPT
-A KUBE-FORWARD -d 10.96.0.9/32 -p tcp -m tcp --dport 80 -c 0 0 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-FORWARD -p icmp -c 0 0 -j ACCEPT
-A KUBE-FORWARD -o eth0 -p tcp -m mark --mark 0x1 -c 0 0 -j REJECT --reject-with tcp-reset
-A KUBE-FORWARD -m state --state NEW -c 0 0 -j ACCEPT
`,
  ],
  [
    'iptables -t nat -vS KUBE-SERVICES',
    `-N KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -c 0 0 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -c 0 0 -j KUBE-NODEPORTS
`,
  ],
  [
    'ipset list',
    `Name: KUBE-X
Type: hash:ip,port
Revision: 7
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xa6572b16
Size in memory: 264
References: 1
Number of entries: 1
Members:
10.0.0.1,tcp:80

Name: KUBE-P
Type: bitmap:port
Revision: 3
Header: range 0-65535
Size in memory: 8264
References: 0
Number of entries: 1
Members:
80

Name: KUBE-N
Type: hash:ip,port,net
Revision: 8
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x7cc61e44
Size in memory: 464
References: 0
Number of entries: 0
Members:

Name: KUBE-I
Type: hash:ip
Revision: 6
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x5055cf8f
Size in memory: 216
References: 0
Number of entries: 0
Members:
`,
  ],
  [
    'ipset list -n',
    `KUBE-X
KUBE-P
KUBE-N
KUBE-I
`,
  ],
  [
    'ipset list -t',
    `Name: KUBE-X
Type: hash:ip,port
Revision: 7
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xa6572b16
Size in memory: 264
References: 1
Number of entries: 1

Name: KUBE-P
Type: bitmap:port
Revision: 3
Header: range 0-65535
Size in memory: 8264
References: 0
Number of entries: 1

Name: KUBE-N
Type: hash:ip,port,net
Revision: 8
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x7cc61e44
Size in memory: 464
References: 0
Number of entries: 0

Name: KUBE-I
Type: hash:ip
Revision: 6
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x5055cf8f
Size in memory: 216
References: 0
Number of entries: 0
`,
  ],
  [
    'ipset save KUBE-X',
    `create KUBE-X hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xa6572b16
add KUBE-X 10.0.0.1,tcp:80
`,
  ],
];
