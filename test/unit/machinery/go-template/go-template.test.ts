import t from 'tap';
import { FUNCTIONS, takes } from '../../../../src/machinery/go-template/functions.js';
import { parseTemplate } from '../../../../src/machinery/go-template/parse.js';
import { runTemplate } from '../../../../src/machinery/go-template/run.js';

const DATA = {
  name: 'web',
  n: 3,
  empty: '',
  labels: { 'a/b': 'x', c: 'y' },
  containers: [
    { name: 'app', image: 'nginx', ports: [80, 81] },
    { name: 'side', image: 'busybox' },
  ],
};

const functions = new Map([...FUNCTIONS, ['Now', takes(0, () => 'now')]]);
const render = (text: string): string => runTemplate(parseTemplate(text, functions), DATA, functions);

const ROWS: readonly [template: string, expect: string][] = [
  ['plain', 'plain'],
  ['a {{ .name }} b', 'a web b'],
  ['{{ .nothing }}|{{ .nothing.more }}', '<no value>|<no value>'],
  ['{{- .name -}}  x', 'webx'],
  ['a  {{- /* a }} comment */ -}}  b', 'ab'],
  ['{{ .n }} {{ .labels }} {{ true }} {{ nil }}', '3 map[a/b:x c:y] true <no value>'],
  ['{{ "a}}b" }}{{ `c` }}', 'a}}bc'],
  ['{{ $x := .name }}{{ $x }}{{ $x = "y" }}{{ $x }}', 'weby'],
  ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}', '2'],
  ['{{ range .containers }}{{ .name }};{{ $.name }} {{ end }}', 'app;web side;web '],
  ['{{ range $i, $c := .containers }}{{ $i }}={{ $c.name }},{{ end }}', '0=app,1=side,'],
  ['{{ range $c := .containers }}{{ $c.image }},{{ end }}', 'nginx,busybox,'],
  ['{{ range $k, $v := .labels }}{{ $k }}={{ $v }};{{ end }}', 'a/b=x;c=y;'],
  ['{{ range .none }}x{{ else }}none{{ end }}', 'none'],
  ['{{ range .containers }}{{ if eq .name "app" }}{{ continue }}{{ end }}{{ .name }}{{ end }}', 'side'],
  ['{{ range .containers }}{{ .name }}{{ break }}{{ end }}', 'app'],
  ['{{ if .empty }}a{{ else if eq .n 3 }}b{{ else }}c{{ end }}', 'b'],
  ['{{ with .labels }}{{ .c }}{{ end }}{{ with .none }}x{{ else }}none{{ end }}', 'ynone'],
  ['{{ with $l := .labels }}{{ $l.c }}{{ end }}', 'y'],
  ['{{ index .labels "a/b" }} {{ ( index .containers 0 ).name }}', 'x app'],
  ['{{ index .containers 0 "ports" 1 }}', '81'],
  ['{{ or .empty "d" }} {{ and .name .n }} {{ not .empty }}', 'd 3 true'],
  ['{{ or ( index .labels "none" ) "" | printf "%q" }}', '""'],
  ['{{ .name | printf "%s-%v" "a" }}', 'a-web'],
  ['{{ eq .name "a" "web" }} {{ eq .none "x" }} {{ ne .n 4 }} {{ lt 1 2 }}', 'true false true true'],
  ['{{ Now }} {{ Now | printf "%q" }}', 'now "now"'],
  ['{{ len .containers }} {{ len .name }}', '2 3'],
  ['{{ add1 .n }} {{ add 1 2 3 }} {{ sub 1 2 }} {{ or .none dict }}', '4 6 -1 map[]'],
  ['{{ default "d" .empty }} {{ ternary 1 2 true }} {{ join "," ( list "a" "b" ) }}', 'd 1 a,b'],
  [
    '{{ define "c" }}[{{ .c.name }}{{ .root.n }}]{{ end }}{{ range .containers }}{{ template "c" dict "c" . "root" $ }}{{ end }}',
    '[app3][side3]',
  ],
  ['{{ $.name }}{{ .containers | len }}', 'web2'],
  ['{{ upper .name | lower | replace "e" "a" }}', 'wab'],
];

t.test('templates', async t => {
  for (const [template, expect] of ROWS) t.equal(render(template), expect, template);
});

t.test('what is not read', async t => {
  const rows: readonly [string, string][] = [
    ['a\n{{ env "X" }}', 'line 2: the function "env" is not supported'],
    ['{{ Nwo }}', 'line 1: the function "Nwo" is not supported; did you mean Now?'],
    ['{{ if .a }}', 'line 1: {{if}} without {{end}}'],
    ['{{ end }}', 'line 1: unexpected {{end}}'],
    ['{{ .a', 'line 1: unclosed action'],
    ['{{/* a', 'line 1: unclosed comment'],
    ['{{ .a .b }}', 'line 1: unexpected ".b"'],
    ['{{ printf }}', 'line 1: wrong number of arguments for printf: 0'],
    ['{{ .a | "b" }}', 'line 1: what is piped into is no function'],
    ['{{ template "x" }}', 'line 1: template "x" is not defined'],
    ['{{ block "x" . }}{{ end }}', 'line 1: {{block}} is not supported'],
    ['{{ }}', 'line 1: an action without anything in it'],
    ['{{ ; }}', 'line 1: unexpected ";" in an action'],
    ['{{ if . }}'.repeat(60), 'nested too deep'],
    [`{{ ${'('.repeat(60)} }}`, 'line 1: nested too deep'],
  ];
  for (const [text, message] of rows) t.throws(() => render(text), { name: 'TemplateSyntaxError', message }, text);
});

t.test('what cannot go on', async t => {
  const rows: readonly [string, string | RegExp][] = [
    ['{{ index .none "a" }}', 'index of <nil> with a'],
    ['{{ index .containers 9 }}', 'index out of range: 9'],
    ['{{ eq .name 1 }}', 'eq: web and 1 are of different types'],
    ['{{ .name.x }}', '.x of web'],
    ['{{ $y }}', 'undefined variable "$y"'],
    ['{{ range .n }}{{ range 90000 }}{{ . }}{{ end }}{{ end }}', 'takes too many steps'],
    ['{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}', 'templates call each other too deep'],
    ['{{ printf "%x" 1 }}', 'printf: %x is not supported'],
    ['{{ div 1 0 }}', 'division by zero'],
  ];
  for (const [text, message] of rows) t.throws(() => render(text), { name: 'TemplateError', message }, text);
});
