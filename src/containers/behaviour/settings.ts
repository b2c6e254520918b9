import { PULL_ERRORS } from '../images/pull-errors.js';
import { amount, answer, duration, oneOf, ports, text, whole, type Kind } from './values.js';

/** What annotations of a Pod that say how it behaves begin with. */
export const PREFIX = 'sim.kubette.io/';

interface Setting {
  readonly kind: Kind<unknown>;
  /** What it does. */
  readonly what: string;
  /** One of these must be said as well, or it means nothing. */
  readonly needs?: readonly string[];
}

const setting = <T, S extends Omit<Setting, 'kind'>>(kind: Kind<T>, rest: S): S & { readonly kind: Kind<T> } => ({
  kind,
  ...rest,
});

/** All that can be said of a container, by the names that files use. */
export const SETTINGS = {
  pullDelay: setting(duration(), { what: 'Each pull of its image takes so long.' }),
  pullError: setting(oneOf(PULL_ERRORS), {
    what: 'Pulls of its image fail for this reason: ErrImagePull, then ImagePullBackOff.',
  }),
  pullFailures: setting(whole(1, 1000), {
    what: 'So many pulls fail, the next one succeeds. Default: all fail.',
    needs: ['pullError'],
  }),
  startDelay: setting(duration(), {
    what: 'Its program runs, but does nothing yet: ports are closed, exec probes fail.',
  }),
  ports: setting(ports, {
    what: 'It listens on these instead of on those of its Pod. A server runs in place of its command.',
  }),
  responseStatus: setting(whole(200, 599), {
    what: 'Every HTTP request is answered with this status. A server runs in place of its command.',
  }),
  responseBody: setting(text('a text'), {
    what: 'Every HTTP request is answered with this body. A server runs in place of its command.',
  }),
  responseType: setting(text('a media type as "application/json"'), {
    what: 'Content-Type of the answers. Default: text/plain.',
    needs: ['responseBody'],
  }),
  responseDelay: setting(duration(), {
    what: 'Every HTTP request is answered so much later. A server runs in place of its command.',
  }),
  log: setting(text('lines of text', '\n'), { what: 'It prints these lines, at its start.' }),
  logInterval: setting(duration(10), {
    what: 'It prints one line of `log` at a time, again and again, with this between them.',
    needs: ['log'],
  }),
  readiness: setting(answer, { what: 'How its readiness probe is answered. Of its container, nobody is asked.' }),
  liveness: setting(answer, { what: 'The same of its liveness probe.' }),
  startup: setting(answer, { what: 'The same of its startup probe.' }),
  cpu: setting(amount(-3, '250m'), {
    what: 'It uses so much processor, up to its limit: what `kubectl top`, autoscalers and the summary see.',
  }),
  memory: setting(amount(0, '64Mi'), {
    what: 'It uses so much memory. With more than its limit it is killed, OOMKilled.',
  }),
  exitCode: setting(whole(0, 255), { what: 'It exits with this code.' }),
  exitAfter: setting(duration(), {
    what: 'It exits so long after its start, with code 0 unless `exit-code` says another. Default: at once.',
  }),
  oomAfter: setting(duration(), { what: 'It is killed for want of memory so long after its start: 137, OOMKilled.' }),
  exitTimes: setting(whole(1, 1000), {
    what: 'Only so many runs of the container end so; the next one stays. Default: all end.',
    needs: ['exitCode', 'exitAfter', 'oomAfter'],
  }),
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<K> = K extends Kind<infer T> ? T : never;

/** What a container is told to do; of what is absent nothing is said. */
export type Behaviour = { readonly [Name in SettingName]?: ValueOf<(typeof SETTINGS)[Name]['kind']> };

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** "exitCode" is "exit-code" in an annotation. */
export const inAnnotation = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);

export const BY_ANNOTATION: ReadonlyMap<string, SettingName> = new Map(
  SETTING_NAMES.map(name => [inAnnotation(name), name]),
);

export const settingOf = (name: SettingName): Setting => SETTINGS[name];

/** What of a behaviour has no effect, for want of what it belongs to. */
export const unsupported = (behaviour: Behaviour): { name: SettingName; needs: readonly string[] }[] =>
  SETTING_NAMES.flatMap(name => {
    const { needs } = settingOf(name);
    const alone = behaviour[name] !== undefined && needs?.every(other => !(other in behaviour)) === true;
    return alone ? [{ name, needs }] : [];
  });
