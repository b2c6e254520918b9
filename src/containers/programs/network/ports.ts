/** Names of /etc/services that tools print for ports unless told not to. */
const NAMES: Readonly<Record<number, string>> = {
  22: 'ssh',
  23: 'telnet',
  25: 'smtp',
  53: 'domain',
  80: 'http',
  110: 'pop3',
  123: 'ntp',
  143: 'imap2',
  389: 'ldap',
  443: 'https',
  587: 'submission',
  636: 'ldaps',
  993: 'imaps',
  995: 'pop3s',
  1883: 'mqtt',
  2049: 'nfs',
  3306: 'mysql',
  3389: 'ms-wbt-server',
  5432: 'postgresql',
  5672: 'amqp',
  6379: 'redis',
  8080: 'http-alt',
};

export const portText = (port: number, numeric: boolean): string =>
  port === 0 ? '*' : ((numeric ? undefined : NAMES[port]) ?? String(port));

/** The port that a name or a number says; undefined: none. */
export function parsePort(text: string): number | undefined {
  if (/^\d{1,5}$/.test(text)) return Number(text) <= 65_535 ? Number(text) : undefined;
  const found = Object.entries(NAMES).find(([, name]) => name === text);
  return found === undefined ? undefined : Number(found[0]);
}
