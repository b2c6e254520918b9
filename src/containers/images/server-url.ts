/** What an address of a server says: "scheme://user:password@host:port/database?parameters". What it leaves out is undefined. */
export interface ServerUrl {
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** As it is written. */
  readonly database: string | undefined;
  readonly parameters: URLSearchParams;
}

/** @throws TypeError, URIError for what is no such address */
export function readServerUrl(text: string): ServerUrl {
  const { hostname: host, port, username, password, pathname, searchParams: parameters } = new URL(text);
  const said = (part: string): string | undefined => (part === '' ? undefined : part);
  return {
    host,
    port: port === '' ? undefined : Number(port),
    user: said(decodeURIComponent(username)),
    password: said(decodeURIComponent(password)),
    database: said(pathname.slice(1)),
    parameters,
  };
}
