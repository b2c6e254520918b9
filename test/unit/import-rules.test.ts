import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import t from 'tap';

/** All that `cluster` puts together. */
const BELOW_CLUSTER = [
  'machinery',
  'api',
  'kinds',
  'storage',
  'server',
  'client',
  'controllers',
  'dataplane',
  'ingress',
  'containers',
  'nodeagent',
  'dns',
  'metrics',
  'explain',
] as const;

/** Who may import whom: dependencies point one way, and only `cmd` sees everything (ARCHITECTURE.md). */
const ALLOWED: Record<string, readonly string[]> = {
  machinery: [],
  api: ['machinery'],
  kinds: ['machinery', 'api'],
  storage: ['machinery', 'api'],
  server: ['machinery', 'api', 'kinds', 'storage'],
  client: ['machinery'],
  controllers: ['machinery', 'client'],
  dataplane: ['machinery'],
  ingress: ['machinery', 'client'],
  containers: ['machinery', 'dataplane', 'client', 'ingress'],
  nodeagent: ['machinery', 'client', 'dataplane', 'containers'],
  dns: ['machinery', 'client'],
  metrics: ['machinery', 'client'],
  explain: ['machinery', 'client', 'dataplane', 'containers', 'nodeagent'],
  cluster: BELOW_CLUSTER,
  testing: [...BELOW_CLUSTER, 'cluster'],
  cmd: [
    'machinery',
    'api',
    'kinds',
    'storage',
    'server',
    'client',
    'controllers',
    'dataplane',
    'containers',
    'nodeagent',
    'explain',
    'cluster',
    'testing',
  ],
};

// Runs from build/test/unit as well as from test/unit.
const root = [join(import.meta.dirname, '../..'), join(import.meta.dirname, '../../..')].find(dir => {
  try {
    return statSync(join(dir, 'package.json')).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
});
const src = join(root ?? '', 'src');
const files = (readdirSync(src, { recursive: true }) as string[]).filter(file => file.endsWith('.ts'));
const imports = (text: string): { from: string; typeOnly: boolean }[] =>
  [
    ...text.matchAll(
      /(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g,
    ),
  ].map(match => ({
    from: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }));

t.test('imports follow the map', async t => {
  t.ok(files.length > 50, `${files.length} files read`);
  const wrong: string[] = [];
  for (const file of files) {
    const layer = file.split('/')[0] ?? '';
    if (!file.includes('/')) continue;
    for (const { from, typeOnly } of imports(readFileSync(join(src, file), 'utf8'))) {
      if (from === '@kubernetes/client-node' && !typeOnly && !file.startsWith('api/build/'))
        wrong.push(`${file}: imports @kubernetes/client-node at run time (a second and 50 MB)`);
      if (!from.startsWith('.')) continue;
      const target = relative(src, resolve(dirname(join(src, file)), from)).split('/')[0] ?? '';
      if (target !== layer && ALLOWED[layer]?.includes(target) !== true) wrong.push(`${file}: imports ${from}`);
    }
  }
  t.same(wrong, []);
  t.same(
    [...new Set(files.filter(f => f.includes('/')).map(f => f.split('/')[0]))].filter(layer => !(layer! in ALLOWED)),
    [],
    'every folder is on the map',
  );
});

/** Tarjan's strongly connected components, those of more than one file. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const circles: string[][] = [];
  const visit = (file: string): number => {
    const mine = index.size;
    index.set(file, mine);
    stack.push(file);
    onStack.add(file);
    let lowest = mine;
    for (const next of graph.get(file) ?? []) {
      if (!index.has(next)) lowest = Math.min(lowest, visit(next));
      else if (onStack.has(next)) lowest = Math.min(lowest, low.get(next) ?? index.get(next) ?? lowest);
      low.set(file, lowest);
    }
    low.set(file, lowest);
    if (lowest < mine) return lowest;
    const circle = stack.splice(stack.indexOf(file));
    for (const each of circle) onStack.delete(each);
    if (circle.length > 1) circles.push(circle.sort());
    return lowest;
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return circles.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

t.test('no import goes in a circle, types included', async t => {
  const graph = new Map(
    files.map(file => {
      const from = imports(readFileSync(join(src, file), 'utf8')).filter(each => each.from.startsWith('.'));
      return [
        file,
        from.map(each => relative(src, resolve(dirname(join(src, file)), each.from)).replace(/\.js$/, '.ts')),
      ];
    }),
  );
  t.same(
    circlesOf(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['a', 'd']],
        ['d', []],
      ]),
    ),
    [['a', 'b', 'c']],
    'it sees one',
  );
  t.same(circlesOf(graph), []);
});

t.test('unit tests stand in folders named as those of src', async t => {
  const folders = readdirSync(join(root ?? '', 'test/unit'), { withFileTypes: true }).filter(entry =>
    entry.isDirectory(),
  );
  t.ok(folders.length > 5);
  t.same(
    folders.map(({ name }) => name).filter(name => !(name in ALLOWED)),
    [],
  );
});

/** Rooms of the data plane, and what each may import of the others. A mode is a folder that only the table of modes opens. */
const DATA_PLANE: Record<string, readonly string[]> = {
  kernel: [],
  services: ['kernel'],
  policies: ['kernel'],
  tools: ['kernel'],
  proxiers: ['kernel', 'services', 'tools'],
};

t.test(
  'the data plane: the kernel knows no Services, no modes and no printers, and one table names the modes',
  async t => {
    const wrong: string[] = [];
    const roomOf = (file: string): string => /^dataplane\/(\w+)\//.exec(file)?.[1] ?? '';
    const modeOf = (file: string): string => /^dataplane\/proxiers\/(\w+)\//.exec(file)?.[1] ?? '';
    for (const file of files) {
      for (const { from } of imports(readFileSync(join(src, file), 'utf8'))) {
        if (!from.startsWith('.')) continue;
        const target = relative(src, resolve(dirname(join(src, file)), from));
        const [room, targetRoom] = [roomOf(file), roomOf(target)];
        if (room !== '' && targetRoom !== '' && room !== targetRoom && DATA_PLANE[room]?.includes(targetRoom) !== true)
          wrong.push(`${file}: imports ${from}`);
        const mode = modeOf(target);
        if (mode !== '' && mode !== modeOf(file) && file !== 'dataplane/proxiers/index.ts')
          wrong.push(`${file}: imports ${from}, of one mode`);
      }
    }
    t.same(wrong, []);
    const rooms = new Set(files.filter(file => file.startsWith('dataplane/')).map(roomOf));
    t.same([...rooms].filter(room => room !== '').sort(), Object.keys(DATA_PLANE).sort(), 'every room is on the map');
  },
);

t.test('names', async t => {
  t.same(
    files.filter(file => /(^|\/)(utils?|helpers?|common|misc)\.ts$/.test(file)),
    [],
    'no drawer for odds and ends',
  );
  const defaults = files.filter(file => /^export default /m.test(readFileSync(join(src, file), 'utf8')));
  t.same(defaults, [], 'named exports only');
});

/** Code that serves every kind alike; what one kind does is data or its strategy. */
const GENERIC =
  /^(server\/(handlers|negotiation|registry|responses|watch-stream)|api\/(codec|go-struct|openapi|structural))\//;
/** Names of kinds that also mean something else: the meta types of the wire. */
const META_TYPES: ReadonlySet<string> = new Set(['Status']);

/** What of the server may open the kinds: it chooses, seeds or judges objects of kinds it knows. All else takes any kind. */
const KNOWS_KINDS = /^server\/(admission|bootstrap)\/|^server\/(strategies|options|validation\/validation-worker)\.ts$/;

t.test('generic code imports no kind', async t => {
  const wrong = files
    .filter(file => file.startsWith('server/') && !KNOWS_KINDS.test(file))
    .flatMap(file =>
      imports(readFileSync(join(src, file), 'utf8'))
        .filter(({ from }) => relative(src, resolve(dirname(join(src, file)), from)).startsWith('kinds/'))
        .map(({ from }) => `${file}: imports ${from}`),
    );
  t.same(wrong, []);
});

t.test('generic code names no kind', async t => {
  const schemas = join(root ?? '', 'api-schemas');
  const kinds = readdirSync(schemas).flatMap(file => {
    const { group = '', resources = [] } = JSON.parse(readFileSync(join(schemas, file), 'utf8')) as {
      group?: string;
      resources?: { kind: string; plural: string }[];
    };
    return resources.flatMap(({ kind, plural }) => [kind, plural, `${plural}.${group}`]);
  });
  const names = new Set(kinds.filter(name => !META_TYPES.has(name)));
  t.ok(names.size > 100, `${names.size} names known`);
  const isComment = (line: string): boolean => /^\s*(\/?\*|\/\/)/.test(line);
  const found = files
    .filter(file => GENERIC.test(file))
    .flatMap(file => {
      const lines = readFileSync(join(src, file), 'utf8').split('\n');
      return lines.flatMap((line, i) => {
        const words = [...line.matchAll(/['"`](?:io\.k8s\.api\.\w+\.\w+\.)?([\w.]+)[\w/]*['"`]/g)].map(
          match => match[1] ?? '',
        );
        return !isComment(line) && words.some(word => names.has(word)) ? [`${file}:${i + 1}: ${line.trim()}`] : [];
      });
    });
  t.same(found, []);
});

/** Rooms with a door: what else is in there is nobody's business. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  'api/go-struct': ['go-struct.ts', 'body-schemas.ts'],
  'api/structural': [
    'structural.ts',
    'columns.ts',
    'json-schema-props.ts',
    'rules.ts',
    // What a definition may say is checked by what is made of it later.
    'check-defaults.ts',
    'field-path.ts',
    'formats.ts',
    'cel/compile-rules.ts',
    'cel/rule-type.ts',
  ],
};

t.test('what makes a schema object is its own business', async t => {
  const found = files.flatMap(file =>
    imports(readFileSync(join(src, file), 'utf8'))
      .filter(({ from }) => from.startsWith('.'))
      .map(({ from }) => relative(src, resolve(dirname(join(src, file)), from)).replace(/\.js$/, '.ts'))
      .filter(target => {
        const room = Object.keys(DOORS).find(name => target.startsWith(`${name}/`));
        return (
          room !== undefined && !file.startsWith(`${room}/`) && !DOORS[room]?.includes(target.slice(room.length + 1))
        );
      })
      .map(target => `${file}: imports ${target}`),
  );
  t.same(found, []);
});
