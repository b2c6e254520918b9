import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import { compareVersions } from '../../../src/containers/programs/versions.js';
import { execute } from '../../support/simulated-container.js';

const SET_UP = `umask 022
mkdir -p work && cd work
mkdir d d/sub e .hid
echo hello > a
printf '%2000s' x > big.txt
printf '%60000s' x > d/large.bin
: > .dot
echo x > d/sub/f
ln -s a link
ln -s nowhere dangling
ln a hard
chmod 755 big.txt
chmod 4711 hard
touch -d '2020-01-02 03:04:05' old
touch -d '2030-06-07 08:09:10' future
touch -d '2026-11-01 01:02:03' e
chown 1234:5678 old
chown 33 future
chmod 1777 d/sub
echo 1 > 'sp ace'
touch -d '2026-11-20 01:02:03' a big.txt d d/sub d/large.bin d/sub/f hard 'sp ace' .dot .hid
touch -d '2026-11-21 01:02:03' .
`;

/** What BusyBox 1.35 writes after the same set-up on ext4, on November 30th. */
const recorded: readonly (readonly [command: string, output: string])[] = [
  [
    'ls',
    `a
big.txt
d
dangling
e
future
hard
link
old
sp ace
`,
  ],
  [
    'ls -l',
    `total 24
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -la',
    `total 36
drwxr-xr-x    5 root     root          4096 Nov 21 01:02 .
drwxr-xr-x    3 root     root          4096 Nov 30 16:00 ..
-rw-r--r--    1 root     root             0 Nov 20 01:02 .dot
drwxr-xr-x    2 root     root          4096 Nov 20 01:02 .hid
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -lA',
    `total 28
-rw-r--r--    1 root     root             0 Nov 20 01:02 .dot
drwxr-xr-x    2 root     root          4096 Nov 20 01:02 .hid
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -lh',
    `total 24K    
-rws--x--x    2 root     root           6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root        2.0K Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root        4.0K Nov 20 01:02 d
lrwxrwxrwx    1 root     root           7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root        4.0K Nov  1 01:02 e
-rw-r--r--    1 www-data root           0 Jun  7  2030 future
-rws--x--x    2 root     root           6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root           1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678           0 Jan  2  2020 old
-rw-r--r--    1 root     root           2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -lR',
    `.:
total 24
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace

./d:
total 64
-rw-r--r--    1 root     root         60000 Nov 20 01:02 large.bin
drwxrwxrwt    2 root     root          4096 Nov 20 01:02 sub

./d/sub:
total 4
-rw-r--r--    1 root     root             2 Nov 20 01:02 f

./e:
total 0
`,
  ],
  [
    'ls -1',
    `a
big.txt
d
dangling
e
future
hard
link
old
sp ace
`,
  ],
  [
    'ls -d d e',
    `d
e
`,
  ],
  [
    'ls -ld d a',
    `-rws--x--x    2 root     root             6 Nov 20 01:02 a
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
`,
  ],
  [
    'ls -lt',
    `total 24
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
`,
  ],
  [
    'ls -ltr',
    `total 24
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
-rws--x--x    2 root     root             6 Nov 20 01:02 a
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
`,
  ],
  [
    'ls -lS',
    `total 24
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
`,
  ],
  [
    'ls -lSr',
    `total 24
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
-rws--x--x    2 root     root             6 Nov 20 01:02 a
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
`,
  ],
  [
    'ls -ls',
    `total 24
     4 -rws--x--x    2 root     root             6 Nov 20 01:02 a
     4 -rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
     4 drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
     0 lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
     4 drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
     0 -rw-r--r--    1 www-data root             0 Jun  7  2030 future
     4 -rws--x--x    2 root     root             6 Nov 20 01:02 hard
     0 lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
     0 -rw-r--r--    1 1234     5678             0 Jan  2  2020 old
     4 -rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -s',
    `total 24
     4 a
     4 big.txt
     4 d
     0 dangling
     4 e
     0 future
     4 hard
     0 link
     0 old
     4 sp ace
`,
  ],
  [
    'ls -1s',
    `total 24
     4 a
     4 big.txt
     4 d
     0 dangling
     4 e
     0 future
     4 hard
     0 link
     0 old
     4 sp ace
`,
  ],
  [
    'ls -ln',
    `total 24
-rws--x--x    2 0        0                6 Nov 20 01:02 a
-rwxr-xr-x    1 0        0             2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 0        0             4096 Nov 20 01:02 d
lrwxrwxrwx    1 0        0                7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 0        0             4096 Nov  1 01:02 e
-rw-r--r--    1 33       0                0 Jun  7  2030 future
-rws--x--x    2 0        0                6 Nov 20 01:02 hard
lrwxrwxrwx    1 0        0                1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 0        0                2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -lp',
    `total 24
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d/
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e/
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -F',
    `a*
big.txt*
d/
dangling@
e/
future
hard*
link@
old
sp ace
`,
  ],
  [
    'ls -lF',
    `total 24
-rws--x--x    2 root     root             6 Nov 20 01:02 a*
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt*
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d/
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e/
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard*
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a*
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -p',
    `a
big.txt
d/
dangling
e/
future
hard
link
old
sp ace
`,
  ],
  [
    'ls -C',
    `a         d         e         hard      old
big.txt   dangling  future    link      sp ace
`,
  ],
  [
    'ls -x',
    `a         big.txt   d         dangling  e         future    hard
link      old       sp ace
`,
  ],
  [
    'ls -l a big.txt d',
    `-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt

d:
total 64
-rw-r--r--    1 root     root         60000 Nov 20 01:02 large.bin
drwxrwxrwt    2 root     root          4096 Nov 20 01:02 sub
`,
  ],
  [
    'ls a d e',
    `a

d:
large.bin
sub

e:
`,
  ],
  [
    'ls -R',
    `.:
a
big.txt
d
dangling
e
future
hard
link
old
sp ace

./d:
large.bin
sub

./d/sub:
f

./e:
`,
  ],
  [
    'ls -lX',
    `total 24
-rws--x--x    2 root     root             6 Nov 20 01:02 a
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
`,
  ],
  [
    'ls -lL',
    `ls: ./dangling: No such file or directory
total 28
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
-rws--x--x    2 root     root             6 Nov 20 01:02 link
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -l link',
    `lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
`,
  ],
  [
    'ls link',
    `link
`,
  ],
  [
    'ls -l d/',
    `total 64
-rw-r--r--    1 root     root         60000 Nov 20 01:02 large.bin
drwxrwxrwt    2 root     root          4096 Nov 20 01:02 sub
`,
  ],
  [
    'ls -lg',
    `total 24
-rws--x--x    2 root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root          4096 Nov 20 01:02 d
lrwxrwxrwx    1 root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root          4096 Nov  1 01:02 e
-rw-r--r--    1 root             0 Jun  7  2030 future
-rws--x--x    2 root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 5678             0 Jan  2  2020 old
-rw-r--r--    1 root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -lhs d',
    `total 64K    
    60 -rw-r--r--    1 root     root       58.6K Nov 20 01:02 large.bin
     4 drwxrwxrwt    2 root     root        4.0K Nov 20 01:02 sub
`,
  ],
  [
    'ls nope',
    `ls: nope: No such file or directory
`,
  ],
  [
    'ls -l nope a',
    `ls: nope: No such file or directory
-rws--x--x    2 root     root             6 Nov 20 01:02 a
`,
  ],
  [
    'ls -lu a',
    `-rws--x--x    2 root     root             6 Nov 20 01:02 a
`,
  ],
  [
    'ls -la d/sub',
    `total 12
drwxrwxrwt    2 root     root          4096 Nov 20 01:02 .
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 ..
-rw-r--r--    1 root     root             2 Nov 20 01:02 f
`,
  ],
  [
    'ls -ld .',
    `drwxr-xr-x    5 root     root          4096 Nov 21 01:02 .
`,
  ],
  [
    'ls -ld link',
    `lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
`,
  ],
  [
    'ls -A',
    `.dot
.hid
a
big.txt
d
dangling
e
future
hard
link
old
sp ace
`,
  ],
  [
    'ls -aF',
    `./
../
.dot
.hid/
a*
big.txt*
d/
dangling@
e/
future
hard*
link@
old
sp ace
`,
  ],
  [
    'ls -w 20 -C',
    `a         future
big.txt   hard
d         link
dangling  old
e         sp ace
`,
  ],
  [
    'ls -Cw40',
    `a         dangling  hard      sp ace
big.txt   e         link
d         future    old
`,
  ],
  [
    'ls --color=never -l a',
    `-rws--x--x    2 root     root             6 Nov 20 01:02 a
`,
  ],
  [
    'ls -lv',
    `total 24
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -l --group-directories-first',
    `total 24
drwxr-xr-x    3 root     root          4096 Nov 20 01:02 d
drwxr-xr-x    2 root     root          4096 Nov  1 01:02 e
-rws--x--x    2 root     root             6 Nov 20 01:02 a
-rwxr-xr-x    1 root     root          2000 Nov 20 01:02 big.txt
lrwxrwxrwx    1 root     root             7 Nov 30 16:00 dangling -> nowhere
-rw-r--r--    1 www-data root             0 Jun  7  2030 future
-rws--x--x    2 root     root             6 Nov 20 01:02 hard
lrwxrwxrwx    1 root     root             1 Nov 30 16:00 link -> a
-rw-r--r--    1 1234     5678             0 Jan  2  2020 old
-rw-r--r--    1 root     root             2 Nov 20 01:02 sp ace
`,
  ],
  [
    'ls -lH link',
    `-rws--x--x    2 root     root             6 Nov 20 01:02 link
`,
  ],
  [
    'ls -Cs',
    `total 24
     4 a            4 d            4 e            4 hard         0 old
     4 big.txt      0 dangling     0 future       0 link         4 sp ace
`,
  ],
  [
    'ls -CF',
    `a*        d/        e/        hard*     old
big.txt*  dangling@ future    link@     sp ace
`,
  ],
  [
    'ls -xs',
    `total 24
     4 a            4 big.txt      4 d            0 dangling     4 e
     0 future       4 hard         0 link         0 old          4 sp ace
`,
  ],
  [
    'ls -w 0 -C',
    `a
big.txt
d
dangling
e
future
hard
link
old
sp ace
`,
  ],
  [
    'ls -F link',
    `link@
`,
  ],
  [
    'ls -p link',
    `link
`,
  ],
  [
    'ls -L dangling',
    `ls: dangling: No such file or directory
`,
  ],
  [
    'ls dangling',
    `ls: dangling: No such file or directory
`,
  ],
  [
    'ls -F dangling',
    `dangling@
`,
  ],
  [
    'ls -C d/ e',
    `d/:
large.bin  sub

e:
`,
  ],
  [
    'ls -lL dangling',
    `ls: dangling: No such file or directory
`,
  ],
];

t.test('ls prints what BusyBox prints, to the byte', async t => {
  const clock = new FakeClock(Date.parse('2026-11-30T16:00:03Z'));
  const commands = recorded.map(([command]) => `echo "=== ${command}"; ${command} 2>&1`);
  const { stdout } = await execute(['sh', '-c', `mkdir -p /tmp/ls; cd /tmp/ls; ${SET_UP}\n${commands.join('\n')}`], {
    clock,
    files: { '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:\n', '/etc/group': 'root:x:0:\n' },
  });
  const sections = stdout.split(/^=== .*\n/m).slice(1);
  for (const [at, [command, output]] of recorded.entries()) t.equal(sections[at], output, command);
});

t.test('versions are ordered by their numbers', async t => {
  const names = ['a10', 'a9', 'a', 'b1', 'a9b', 'a09'];
  t.same(names.sort(compareVersions), ['a', 'a09', 'a9', 'a9b', 'a10', 'b1']);
});
