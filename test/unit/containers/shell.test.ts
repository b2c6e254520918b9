import t from 'tap';
import { createTree } from '../../../src/containers/file-system.js';
import { execute, type Fixture } from '../../support/simulated-container.js';
import { stillNetwork } from '../../support/still-stack.js';

interface Row extends Fixture {
  readonly script: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exit?: number;
  readonly stdin?: string;
}

const config = { path: '/etc/config', tree: createTree({ key: 'value\n', other: 'x' }), readOnly: true };

const rows: readonly Row[] = [
  // Words and quotes
  { script: 'echo hello world', stdout: 'hello world\n' },
  { script: `echo 'single $HOME' "double $HOME" plain\\ space`, stdout: 'single $HOME double /root plain space\n' },
  { script: 'echo "a  b" a  b', stdout: 'a  b a b\n' },
  { script: 'echo ""; echo -n x; echo -e "a\\tb"', stdout: '\nxa\tb\n' },
  { script: 'echo a#b #comment', stdout: 'a#b\n' },
  { script: 'echo one \\\n two', stdout: 'one two\n' },
  // Lists
  { script: 'true && echo yes || echo no', stdout: 'yes\n' },
  { script: 'false && echo yes || echo no', stdout: 'no\n' },
  { script: 'false; echo $?', stdout: '1\n' },
  { script: '! false; echo $?', stdout: '0\n' },
  { script: 'exit 3', exit: 3 },
  { script: 'false', exit: 1 },
  { script: '(exit 4); echo $?', stdout: '4\n' },
  { script: '{ echo a; echo b; } | wc -l', stdout: '2\n' },
  // Parameters
  { script: 'X=1; echo $X ${X}2 ${Y:-default} ${#X}', stdout: '1 12 default 1\n' },
  { script: 'echo ${Z:=set} $Z', stdout: 'set set\n' },
  { script: 'echo ${Z:?is missing}', stderr: 'sh: Z: is missing\n', exit: 2 },
  { script: 'F=/a/b/c.txt; echo ${F##*/} ${F%.*} ${F#/} ${F%%/*}', stdout: 'c.txt /a/b/c a/b/c.txt\n' },
  { script: 'V=a-b-c; echo ${V/-/+} ${V//-/+}', stdout: 'a+b-c a+b+c\n' },
  { script: 'set -- a "b c"; for i in "$@"; do echo "[$i]"; done; echo $#', stdout: '[a]\n[b c]\n2\n' },
  { script: 'set -- a "b c"; for i in $*; do echo "[$i]"; done', stdout: '[a]\n[b]\n[c]\n' },
  { script: 'X="a b"; for i in $X; do echo $i; done; for i in "$X"; do echo $i; done', stdout: 'a\nb\na b\n' },
  { script: 'FOO=bar env | grep FOO; echo "[$FOO]"', stdout: 'FOO=bar\n[]\n' },
  { script: 'export A=1; B=2; env | grep -E "^[AB]="', stdout: 'A=1\n' },
  { script: 'echo $((1 + 2 * 3)) $(( (1+2)*3 )) $((7/2)) $((7%2)) $((2>1))', stdout: '7 9 3 1 1\n' },
  { script: 'i=0; i=$((i+1)); i=$((i+1)); echo $i', stdout: '2\n' },
  { script: 'echo $(echo inner "$(echo nested)") `echo back`', stdout: 'inner nested back\n' },
  { script: 'X=$(false); echo $?', stdout: '1\n' },
  { script: 'echo "$0"; echo $$ > /dev/null; echo done', stdout: 'sh\ndone\n' },
  { script: 'IFS=,; X=a,b,c; for i in $X; do echo $i; done', stdout: 'a\nb\nc\n' },
  // Compound commands
  { script: 'if [ 1 -eq 1 ]; then echo eq; else echo ne; fi', stdout: 'eq\n' },
  { script: 'if false; then echo a; elif true; then echo b; else echo c; fi', stdout: 'b\n' },
  { script: 'i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done', stdout: '0\n1\n2\n' },
  { script: 'i=0; until [ $i -ge 2 ]; do i=$((i+1)); done; echo $i', stdout: '2\n' },
  { script: 'for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done', stdout: '1\n3\n' },
  { script: 'for i in 1 2; do for j in 1 2; do [ $j = 2 ] && break 2; echo $i$j; done; done', stdout: '11\n' },
  { script: 'for i in $(seq 3); do echo -n $i; done', stdout: '123' },
  { script: 'case foo.txt in *.md) echo md;; *.txt|*.text) echo txt;; *) echo other;; esac', stdout: 'txt\n' },
  { script: 'f() { echo "f $1"; return 3; }; f x; echo $?', stdout: 'f x\n3\n' },
  { script: 'f() { local a=1; echo $#; }; f a b c', stdout: '3\n' },
  { script: 'while read -r a b; do echo "$b-$a"; done <<EOF\n1 2\n3 4 5\nEOF\n', stdout: '2-1\n4 5-3\n' },
  { script: 'cat <<EOF\nhome=$HOME\nEOF\n', stdout: 'home=/root\n' },
  { script: "cat <<'EOF'\nhome=$HOME\nEOF\n", stdout: 'home=$HOME\n' },
  // Redirections and files
  { script: 'echo x > /tmp/f; echo y >> /tmp/f; cat /tmp/f; wc -l < /tmp/f', stdout: 'x\ny\n2\n' },
  { script: 'echo err >&2; echo out', stdout: 'out\n', stderr: 'err\n' },
  { script: 'ls /nope 2>&1', stdout: 'ls: /nope: No such file or directory\n', exit: 1 },
  { script: 'nosuch 2>/dev/null; echo $?', stdout: '127\n' },
  { script: 'nosuch', stderr: 'sh: nosuch: not found\n', exit: 127 },
  { script: 'cat /nope', stderr: "cat: can't open '/nope': No such file or directory\n", exit: 1 },
  { script: 'cat < /nope', stderr: "sh: can't open /nope: No such file or directory\n", exit: 1 },
  { script: 'cat /etc/hostname; hostname', stdout: 'p\np\n' },
  { script: 'cat /etc/config/key; ls /etc/config', mounts: [config], stdout: 'value\nkey\nother\n' },
  {
    script: 'echo x > /etc/config/key',
    mounts: [config],
    stderr: "sh: can't create /etc/config/key: Read-only file system\n",
    exit: 1,
  },
  { script: 'mkdir -p /a/b; cd /a/b; pwd; touch f; ls; cd ..; rm -r b; ls', stdout: '/a/b\nf\n' },
  { script: 'cd /tmp; touch a1 a2 b1; echo a*; echo z*', stdout: 'a1 a2\nz*\n' },
  { script: '[ -f /etc/hostname ] && [ -d /etc ] && [ ! -e /x ] && echo ok', stdout: 'ok\n' },
  { script: 'test -n "" || echo empty; [ a != b ] && echo differ', stdout: 'empty\ndiffer\n' },
  {
    script:
      'mkdir -p /d/e; echo 1 > /d/a; echo 2 > /d/e/b; tar cf - -C / d | tar xmf - -C /tmp; cat /tmp/d/a /tmp/d/e/b; tar cf - /d | tar tf -',
    stdout: '1\n2\nd/\nd/a\nd/e/\nd/e/b\n',
  },
  // Pipes
  { script: 'printf "b\\na\\nc\\n" | sort | head -n 2', stdout: 'a\nb\n' },
  { script: 'seq 10 | grep -c 1', stdout: '2\n' },
  { script: 'seq 100 | tail -n 2', stdout: '99\n100\n' },
  { script: 'expr 7 % 2', stdout: '1\n' },
  { script: 'expr 2 + 3 \\* 4 ; expr \\( 2 + 3 \\) \\* 4', stdout: '14\n20\n' },
  { script: 'expr abc : "a\\(.\\)" ; expr abc : "ab"', stdout: 'b\n2\n' },
  { script: 'expr 1 - 1 || echo none', stdout: '0\nnone\n' },
  { script: 'expr 10 \\> 9 ; expr b \\> a', stdout: '1\n1\n' },
  { script: 'yes | head -3', stdout: 'y\ny\ny\n' },
  { script: 'while true; do echo x; done | head -n 2', stdout: 'x\nx\n' },
  { script: 'echo a:b:c | cut -d: -f2', stdout: 'b\n' },
  { script: 'echo hello | tr a-z A-Z', stdout: 'HELLO\n' },
  { script: 'echo hello | sed "s/l/L/g; s/h/(&)/"', stdout: '(h)eLLo\n' },
  { script: 'printf "a\\na\\nb\\n" | uniq -c', stdout: '      2 a\n      1 b\n' },
  { script: 'echo "1 2 3" | xargs -n 1 echo n', stdout: 'n 1\nn 2\nn 3\n' },
  { script: 'false | true; echo $?', stdout: '0\n' },
  { script: 'set -o pipefail; false | true; echo $?', stdout: '1\n' },
  { script: 'grep nothing /etc/hosts', exit: 1 },
  { script: 'echo aGk= | base64 -d', stdout: 'hi' },
  { script: 'cat', stdin: 'from stdin', stdout: 'from stdin' },
  { script: 'read a; read b; echo "$b $a"', stdin: 'one\ntwo\n', stdout: 'two one\n' },
  // Options and control
  { script: 'set -e; false; echo unreached', exit: 1 },
  { script: 'set -e; if false; then :; fi; false || true; echo reached', stdout: 'reached\n' },
  { script: 'set -x; echo a "b c"', stdout: 'a b c\n', stderr: "+ echo a 'b c'\n" },
  { script: 'set -u; echo $UNSET', stderr: 'sh: UNSET: parameter not set\n', exit: 2 },
  { script: 'trap "echo bye" EXIT; echo hi; exit 5', stdout: 'hi\nbye\n', exit: 5 },
  { script: 'trap "echo caught" TERM; kill -TERM $$; echo after', stdout: 'caught\nafter\n' },
  { script: 'sleep 0.01 & wait $!; echo $?', stdout: '0\n' },
  { script: '(sleep 30; echo never) & kill $!; wait $!; echo $?', stdout: '143\n' },
  { script: 'eval "A=1; echo \\$A"', stdout: '1\n' },
  { script: 'timeout 0.05 sleep 30; echo $?', stdout: '143\n' },
  { script: 'kill -9 $$; echo unreached', exit: 137 },
  { script: 'sh -c "echo \\$0 \\$1" name arg', stdout: 'name arg\n' },
  { script: 'echo "echo from file \\$1" > /tmp/s.sh; sh /tmp/s.sh x', stdout: 'from file x\n' },
  { script: 'exec echo replaced; echo unreached', stdout: 'replaced\n' },
  { script: 'command -v curl && ! command -v nosuch', stdout: '/bin/curl\n' },
  // Errors
  { script: 'if true; then echo', stderr: 'sh: syntax error: unexpected end of file\n', exit: 2 },
  { script: 'echo )', stderr: 'sh: syntax error: unexpected ")"\n', exit: 2 },
  { script: "echo 'open", stderr: 'sh: syntax error: unterminated quoted string\n', exit: 2 },
  {
    script: 'ping -c1 10.0.0.1',
    network: stillNetwork(),
    stdout:
      'PING 10.0.0.1 (10.0.0.1): 56 data bytes\n\n--- 10.0.0.1 ping statistics ---\n1 packets transmitted, 0 packets received, 100% packet loss\n',
    exit: 1,
  },
  // System
  { script: 'id -u; whoami; uname; pwd', stdout: '0\nroot\nLinux\n/\n' },
  { script: 'echo $GREETING', env: { GREETING: 'hello' }, stdout: 'hello\n' },
  { script: 'printenv GREETING NOPE', env: { GREETING: 'hello' }, stdout: 'hello\n', exit: 1 },
  // The network of a lone Pod
  { script: 'curl -s http://localhost:81/', exit: 7 },
  { script: 'curl http://nowhere/', stderr: 'curl: (6) Could not resolve host: nowhere\n', exit: 6 },
  { script: 'curl -sS ftp://x/', stderr: 'curl: (1) Protocol "ftp" not supported\n', exit: 1 },
  { script: 'nc -zv 127.0.0.1 81', stderr: 'nc: 127.0.0.1 (127.0.0.1:81): Connection refused\n', exit: 1 },
  { script: 'nslookup nowhere', stdout: ';; no name server is configured\n', exit: 1 },
  {
    script: 'nc -l -p 82 > /tmp/got & until nc -z 127.0.0.1 82; do :; done; echo',
    stdout: '\n',
  },
];

t.test('the shell', async t => {
  for (const { script, stdout = '', stderr = '', exit = 0, ...fixture } of rows)
    t.same(await execute(['sh', '-c', script], fixture), { stdout, stderr, exit }, script);
});

const nobody = { uid: 1000, gid: 2000, groups: [2000, 3000] };
const fsGroup = createTree({ key: { content: 'x', mode: 0o440, gid: 3000 } }, { mode: 0o2777, gid: 3000, tmpfs: true });
const data = { path: '/data', tree: fsGroup, readOnly: false };

/** What the kernel allows a process of another user than root. */
const asUser: readonly (Fixture & { script: string; stdout?: string; stderr?: string; exit?: number })[] = [
  { script: 'id; id -G', stdout: 'uid=1000 gid=2000 groups=2000,3000\n2000 3000\n' },
  { script: 'echo x > /f', stderr: "sh: can't create /f: Permission denied\n", exit: 1 },
  { script: 'cat /data/key', stdout: 'x' },
  { script: 'echo y > /data/key', stderr: "sh: can't create /data/key: Permission denied\n", exit: 1 },
  {
    script:
      'echo y > /data/new; stat -c "%a %u %g" /data/new; chmod u+x,o-r /data/new; stat -c %A /data/new; rm /data/new',
    stdout: '644 1000 3000\n-rwxr-----\n',
  },
  {
    script: 'chown root /data/key',
    stderr: "chown: can't change ownership of '/data/key': Operation not permitted\n",
    exit: 1,
  },
  { script: 'test -w /data/key || test -r /data/key && echo only read', stdout: 'only read\n' },
  {
    script:
      '/agnhost mounttest --fs_type=/data --file_perm=/data --new_file_0660=/data/f --file_owner=/data/f; rm /data/f',
    image: 'agnhost',
    stdout:
      'mount type of "/data": tmpfs\ncontent of file "/data/f": mount-tester new file\n\nperms of file "/data": -rwxrwxrwx\nowner UID of "/data/f": 1000\nowner GID of "/data/f": 3000\n',
  },
  {
    script: '/agnhost mounttest --file_content=/nope',
    image: 'agnhost',
    stdout: 'error reading file content for "/nope": open /nope: no such file or directory\n',
    exit: 1,
  },
  { script: '/agnhost-2 entrypoint-tester a b', image: 'agnhost', stdout: '[/agnhost-2 entrypoint-tester a b]\n' },
  {
    script: 'ip link add d0 type dummy',
    network: stillNetwork(),
    stderr: 'ip: RTNETLINK answers: Operation not permitted\n',
    exit: 2,
  },
];

t.test('users and modes', async t => {
  for (const { script, stdout = '', stderr = '', exit = 0, ...fixture } of asUser)
    t.same(
      await execute(['sh', '-c', script], { credentials: nobody, mounts: [data], ...fixture }),
      { stdout, stderr, exit },
      script,
    );
});

t.test('a script on stdin runs command by command', async t => {
  const result = await execute(['sh'], { stdin: 'echo a\nif true\nthen echo b\nfi\nexit 7\necho c\n' });
  t.same(result, { stdout: 'a\nb\n', stderr: '', exit: 7 });
});

t.test('a busy loop leaves the event loop its turns and dies when killed', async t => {
  let turns = 0;
  const count = setInterval(() => turns++, 1);
  const result = await execute(['sh', '-c', 'trap "" INT; timeout 0.1 sh -c "while :; do :; done"; echo $?']);
  clearInterval(count);
  t.equal(result.stdout, '143\n');
  t.ok(turns > 0, `${turns} turns`);
});

t.test('a program that is not in the image', async t => {
  await t.rejects(execute(['nosuch']), { message: 'exec: "nosuch": executable file not found in $PATH' });
});
