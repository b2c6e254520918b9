import t from 'tap';
import { aesCbc, aesGcm } from '../../../../src/storage/encryption/aes.js';
import { secretbox } from '../../../../src/storage/encryption/secretbox.js';
import { identity, prefixed, type Transformer } from '../../../../src/storage/encryption/transformer.js';

const bytes = (length: number, by: number, plus: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (i * by + plus) & 255));

/** The key and the messages of the rows below. */
const SECRET = bytes(32, 7, 1);
const message = (length: number): Buffer => bytes(length, 13, 5);
const KEY = '/registry/secrets/default/a';

/** Written by k8s.io/apiserver's own pkg/storage/value/encrypt, for that storage key. */
const STORED: { kind: string; keyLength?: number; length: number; stored: string }[] = [
  {
    kind: 'secretbox',
    length: 0,
    stored: '10ad78f71c1fecb8eaa904fc83c584a7afeb213f8c422ff458a25effa7db7e2ba705ef25a5bb4a34',
  },
  {
    kind: 'secretbox',
    length: 1,
    stored: 'fb5d25568e5c825972134c02d2b1586fade5e72b2accaacca60851ccb5526d7cd92d15de3cbb80ce42',
  },
  {
    kind: 'secretbox',
    length: 15,
    stored:
      '8e483798f04ababcf7a232e72f0c41af49a5cb5b3965e7d3c3e6a592110994167c08ab5ac2eb82d7164334670a46a25affe46b5a83676d',
  },
  {
    kind: 'secretbox',
    length: 16,
    stored:
      '76373e5e061d2a69564cf952078344e618bd990bb19795b6fd5451466f7c10bef600d23897286115445dca0df0b629bc568cc079627111c9',
  },
  {
    kind: 'secretbox',
    length: 17,
    stored:
      '9513ba54a177bed8ce286db4128f1ffa0c19575743dcd2dcf70958382d820bc787a85d916a7a8f8817104bf826d95c61659d282ed4fd156eed',
  },
  {
    kind: 'secretbox',
    length: 63,
    stored:
      '16cbc8b461441d2494db6fe37f68fe29b25910227aaa6d2c6a7fe613f37a3548a7bde157812509911d44b301190aaf7b63158a78b9617d3de0d1c06558e372aad67bd3f8161c26cd9719735e03802174e1a188e3e61e50e5d14a3edeb6cb9b9157446ff5d1ebd3',
  },
  {
    kind: 'secretbox',
    length: 64,
    stored:
      '410c3857a686961e1d44eaf26e60b0652ac94937fadc9740f0987a30394269abb773f31bc68a5e063332f52dd6705baef18e9eb2001e6c9c95ea91da998d4aa16d5b31dbf3b3d2ad11a5e33e2d5eafc021e512d7840459b2c39d4008cec383bab988845d080597a5',
  },
  {
    kind: 'secretbox',
    length: 65,
    stored:
      '258a53881a9268483686e22474c52bf2ebd3f32cf6cd06e213718cf24e4b8c24b3b2714139b0fff5ace8c0cd3c7cea6d07e09c71fab911c9ed514bbad3db3df2454801c242ae12296c1c508c65780bb57f48c28d9c4f9793b0e68f3a24c0e00bf547c283f64abc7d63',
  },
  {
    kind: 'secretbox',
    length: 200,
    stored:
      'a9d22f1e53f78c78fe1a795d28ea8d0b9bb6a034b1988ae231d264d114cbce95df3156081e0c31296deff2a75c8739437a08e5c53b4cb74401a38c16e793a6fa33a59da69def7dd97cac10f8e17a292776f867a06b5c980b248623e91ebf5a2fd52460801f0e2db31b012c102dbf95128961b15c9cd8deab9b8548a83cb77c18cd34f360c473e59ed2eb56bdd267cb2022590c7c76ce2a1e0ac8cc66b4218b455d2923d46b057196b03a1615cadd90a26399a97e835062bbb168231d5e7188303a12ddd7b228f3dc03ef449841425e13373b44a42e871f9f07c582dc22ecd8fa066ad1a8079be7fca3d46418ad599fe2',
  },
  {
    kind: 'aescbc',
    keyLength: 16,
    length: 20,
    stored: '3a18a90769688234fbf00ad6eaddb038f27f4ce62f84195822421aef7fce68d595d766a6310482b38e5878ed445b8d57',
  },
  {
    kind: 'aesgcm',
    keyLength: 16,
    length: 20,
    stored: '61f4818617086b4e4d58059f2584a8abf69f4f34974ae7618eda01cf6a2bb8352dd1475b4746151dcabfb637d74fc739',
  },
  {
    kind: 'aescbc',
    keyLength: 24,
    length: 20,
    stored: 'a3d9a61c57194c30d93f06295bde5200f8d764e2ba9770f0d707d8d4c6a92b994eb3835cf17a138d98159a5ac4530670',
  },
  {
    kind: 'aesgcm',
    keyLength: 24,
    length: 20,
    stored: 'ee6ef5f52ffbd0abf69384c3c6fb8c5237aa14aa41ae9b8d24e500ecba681e274ec393589faf9d3f0089c347625b07c4',
  },
  {
    kind: 'aescbc',
    keyLength: 32,
    length: 20,
    stored: '1d204b30173636c68dde8ca1d92ecd66f78c95fbf34832378efaa4519694c537d04409836686566b2e723129a4b42d27',
  },
  {
    kind: 'aesgcm',
    keyLength: 32,
    length: 20,
    stored: '9f12c951c7fe8745245180defeff652302ef87c81166a33909e4b19cbd143b26dd754914817666533ffd89b26e6c5a6a',
  },
];

const CIPHERS: Readonly<Record<string, (secret: Uint8Array) => Transformer>> = {
  aescbc: aesCbc,
  aesgcm: aesGcm,
  secretbox,
};

t.test('what upstream has written is read, and what is written is read again', t => {
  for (const { kind, keyLength = 32, length, stored } of STORED) {
    const cipher = CIPHERS[kind]?.(SECRET.subarray(0, keyLength)) ?? identity;
    const name = `${kind}, a key of ${keyLength}, ${length} bytes`;
    const open = (value: Uint8Array): string => Buffer.from(cipher.open(value, KEY).value).toString('hex');
    t.equal(open(Buffer.from(stored, 'hex')), message(length).toString('hex'), name);
    const [first, second] = [cipher.seal(message(length), KEY), cipher.seal(message(length), KEY)];
    t.equal(first.length, stored.length / 2, `${name}: as long as upstream's`);
    t.equal(open(first), message(length).toString('hex'), `${name}, again`);
    t.notSame(first, second, `${name}: never the same twice`);
  }
  t.end();
});

t.test("what has been altered, cut or moved is not read, in upstream's words", t => {
  const flip = (value: Uint8Array, at: number): Buffer => {
    const copy = Buffer.from(value);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const gcm = aesGcm(SECRET);
  const cbc = aesCbc(SECRET);
  const box = secretbox(SECRET);
  const sealed = { gcm: gcm.seal(message(20), KEY), cbc: cbc.seal(message(20), KEY), box: box.seal(message(20), KEY) };
  const unauthenticated = 'cipher: message authentication failed';
  const short = 'the stored data was shorter than the required size';
  const cases: { name: string; open: () => unknown; error: string }[] = [
    { name: 'gcm, altered', open: () => gcm.open(flip(sealed.gcm, 15), KEY), error: unauthenticated },
    {
      name: 'gcm, tag altered',
      open: () => gcm.open(flip(sealed.gcm, sealed.gcm.length - 1), KEY),
      error: unauthenticated,
    },
    { name: 'gcm, moved to another key', open: () => gcm.open(sealed.gcm, `${KEY}b`), error: unauthenticated },
    { name: 'gcm, cut', open: () => gcm.open(sealed.gcm.subarray(0, 20), KEY), error: unauthenticated },
    { name: 'gcm, too short', open: () => gcm.open(sealed.gcm.subarray(0, 5), KEY), error: short },
    { name: 'cbc, too short', open: () => cbc.open(sealed.cbc.subarray(0, 5), KEY), error: short },
    {
      name: 'cbc, cut',
      open: () => cbc.open(sealed.cbc.subarray(0, 40), KEY),
      error: 'the stored data is not a multiple of the block size',
    },
    {
      name: 'cbc, nothing',
      open: () => cbc.open(sealed.cbc.subarray(0, 16), KEY),
      error: 'invalid PKCS7 data (empty or not padded)',
    },
    {
      name: 'cbc, padding altered',
      open: () => cbc.open(flip(sealed.cbc, 16 + 4), KEY),
      error: 'invalid padding on input',
    },
    {
      name: 'secretbox, altered',
      open: () => box.open(flip(sealed.box, 45), KEY),
      error: 'output array was not large enough for encryption',
    },
    {
      name: 'secretbox, nonce altered',
      open: () => box.open(flip(sealed.box, 0), KEY),
      error: 'output array was not large enough for encryption',
    },
    { name: 'secretbox, too short', open: () => box.open(sealed.box.subarray(0, 39), KEY), error: short },
    {
      name: 'plain, encrypted',
      open: () => identity.open(Buffer.from('k8s:enc:x'), KEY),
      error: 'identity transformer tried to read encrypted data',
    },
  ];
  for (const { name, open, error } of cases) t.throws(open, { message: error }, name);
  t.end();
});

t.test('several keys and providers: the first writes, all read, and what is old is stale', t => {
  const keys = (...named: [string, number][]): Transformer =>
    prefixed(
      named.map(([name, at]) => ({ prefix: `${name}:`, transformer: aesCbc(bytes(32, at, 1)) })),
      'no matching key was found for the provided AES transformer',
    );
  const CBC = 'k8s:enc:aescbc:v1:';
  const all = (...of: [string, Transformer][]): Transformer =>
    prefixed(
      of.map(([prefix, transformer]) => ({ prefix, transformer })),
      'no matching prefix found',
    );
  const old = all([CBC, keys(['key1', 3])]);
  const rotated = all([CBC, keys(['key2', 5], ['key1', 3])], ['', identity]);
  const back = all(['', identity], [CBC, keys(['key1', 3])]);
  const value = Buffer.from('{"a":1}');
  const stored = old.seal(value, KEY);
  t.equal(Buffer.from(stored).subarray(0, 23).toString(), 'k8s:enc:aescbc:v1:key1:');
  t.match(old.open(stored, KEY), { value, stale: false });
  t.match(rotated.open(stored, KEY), { value, stale: true });
  t.match(rotated.open(rotated.seal(value, KEY), KEY), { value, stale: false });
  t.match(
    rotated.open(value, KEY),
    { value, stale: true },
    'what was there before is encrypted when it is written next',
  );
  t.match(back.open(stored, KEY), { value, stale: true }, 'the way back');
  t.same(back.seal(value, KEY), value);
  t.match(back.open(value, KEY), { stale: false });
  const problems: [Transformer, string][] = [
    [all([CBC, keys(['key2', 5])]), 'no matching key was found for the provided AES transformer'],
    [all(['', identity]), 'no matching prefix found'],
    [all(['k8s:enc:aesgcm:v1:', keys(['key1', 3])]), 'no matching prefix found'],
    [all([CBC, keys(['a', 1])], [CBC, keys(['b', 1])]), 'no matching key was found for the provided AES transformer'],
  ];
  for (const [transformer, error] of problems) t.throws(() => transformer.open(stored, KEY), { message: error });
  t.end();
});
