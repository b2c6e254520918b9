import { goLength } from '../go-text.js';

/**
 * Formats of names and values, each a function from a value to the texts of what is wrong with it; none means valid.
 * Source: apimachinery pkg/util/validation and pkg/api/validate/content.
 */
export type FormatCheck = (value: string) => string[];

export const DNS1123_LABEL_MAX_LENGTH = 63;
export const DNS1123_SUBDOMAIN_MAX_LENGTH = 253;
export const DNS1035_LABEL_MAX_LENGTH = 63;
export const LABEL_VALUE_MAX_LENGTH = 63;
const LABEL_NAME_MAX_LENGTH = 63;
const PORT_NAME_MAX_LENGTH = 15;
const MAX_ID = 2 ** 31 - 1;

export const emptyMessage = 'must be non-empty';
export const maxLengthMessage = (length: number): string => `must be no more than ${length} characters`;
/** Label keys and values count bytes in their message; everything older says characters (and counts bytes too). */
const maxBytesMessage = (length: number): string => `must be no more than ${length} bytes`;
export const inclusiveRangeMessage = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;

/** `... (e.g. 'a',  or 'b', regex used for validation is '...')`; the two blanks before "or" are upstream's. */
export function regexMessage(text: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${text} (regex used for validation is '${format}')`;
  return `${text} (e.g. ${examples.map(e => `'${e}', `).join(' or ')}regex used for validation is '${format}')`;
}

const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`;
const DNS1123_UNDERSCORE_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const DNS1123_UNDERSCORE_SUBDOMAIN = `${DNS1123_UNDERSCORE_LABEL}(\\.${DNS1123_UNDERSCORE_LABEL})*`;
const DNS1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const WILDCARD_SUBDOMAIN = `\\*\\.${DNS1123_SUBDOMAIN}`;
const LABEL_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${LABEL_NAME})?`;
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const ENV_VAR_NAME = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const PERCENT = '[0-9]+%';
const HTTP_HEADER = '[-A-Za-z0-9]+';
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const dns1123Label = new RegExp(`^(?:${DNS1123_LABEL})$`);
const dns1123Subdomain = new RegExp(`^(?:${DNS1123_SUBDOMAIN})$`);
const dns1123UnderscoreSubdomain = new RegExp(`^(?:${DNS1123_UNDERSCORE_SUBDOMAIN})$`);
const dns1035Label = new RegExp(`^(?:${DNS1035_LABEL})$`);
const wildcardSubdomain = new RegExp(`^(?:${WILDCARD_SUBDOMAIN})$`);
const labelName = new RegExp(`^(?:${LABEL_NAME})$`);
const labelValue = new RegExp(`^(?:${LABEL_VALUE})$`);
const cIdentifier = new RegExp(`^(?:${C_IDENTIFIER})$`);
const configKey = new RegExp(`^(?:${CONFIG_KEY})$`);
const envVarName = new RegExp(`^(?:${ENV_VAR_NAME})$`);
const percent = new RegExp(`^(?:${PERCENT})$`);
const httpHeader = new RegExp(`^(?:${HTTP_HEADER})$`);
const httpPath = new RegExp(`^(?:${HTTP_PATH})$`);

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const LABEL_NAME_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

export function isDns1123Label(value: string): string[] {
  const problems: string[] = [];
  if (goLength(value) > DNS1123_LABEL_MAX_LENGTH) problems.push(maxLengthMessage(DNS1123_LABEL_MAX_LENGTH));
  if (!dns1123Label.test(value)) {
    problems.push(
      dns1123Subdomain.test(value)
        ? 'must not contain dots'
        : regexMessage(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            DNS1123_LABEL,
            'my-name',
            '123-abc',
          ),
    );
  }
  return problems;
}

const subdomainProblems = (value: string, tooLongMessage: (length: number) => string): string[] => {
  const problems: string[] = [];
  if (goLength(value) > DNS1123_SUBDOMAIN_MAX_LENGTH) problems.push(tooLongMessage(DNS1123_SUBDOMAIN_MAX_LENGTH));
  if (!dns1123Subdomain.test(value)) problems.push(regexMessage(SUBDOMAIN_TEXT, DNS1123_SUBDOMAIN, 'example.com'));
  return problems;
};

export const isDns1123Subdomain = (value: string): string[] => subdomainProblems(value, maxLengthMessage);

/** As above, with '_' allowed: ExternalName-like names of DNS search domains. */
export function isDns1123SubdomainWithUnderscore(value: string): string[] {
  const problems: string[] = [];
  if (goLength(value) > DNS1123_SUBDOMAIN_MAX_LENGTH) problems.push(maxLengthMessage(DNS1123_SUBDOMAIN_MAX_LENGTH));
  if (!dns1123UnderscoreSubdomain.test(value)) {
    problems.push(
      regexMessage(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        DNS1123_UNDERSCORE_SUBDOMAIN,
        'example.com',
      ),
    );
  }
  return problems;
}

export function isDns1035Label(value: string): string[] {
  const problems: string[] = [];
  if (goLength(value) > DNS1035_LABEL_MAX_LENGTH) problems.push(maxLengthMessage(DNS1035_LABEL_MAX_LENGTH));
  if (!dns1035Label.test(value)) {
    problems.push(
      regexMessage(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        DNS1035_LABEL,
        'my-name',
        'abc-123',
      ),
    );
  }
  return problems;
}

export function isWildcardDns1123Subdomain(value: string): string[] {
  const problems: string[] = [];
  if (goLength(value) > DNS1123_SUBDOMAIN_MAX_LENGTH) problems.push(maxLengthMessage(DNS1123_SUBDOMAIN_MAX_LENGTH));
  if (!wildcardSubdomain.test(value)) {
    problems.push(
      regexMessage(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        WILDCARD_SUBDOMAIN,
        '*.example.com',
      ),
    );
  }
  return problems;
}

/** Label keys, condition types, finalizers: an optional DNS subdomain and '/', then a name. */
export function isQualifiedName(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    const text = regexMessage(`a valid label key ${LABEL_NAME_TEXT}`, LABEL_NAME, 'MyName', 'my.name', '123-abc');
    return [`${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems: string[] = [];
  const name = parts[parts.length - 1] ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') problems.push(`prefix part ${emptyMessage}`);
    else for (const text of subdomainProblems(prefix, maxBytesMessage)) problems.push(`prefix part ${text}`);
  }
  if (name === '') problems.push(`name part ${emptyMessage}`);
  else if (goLength(name) > LABEL_NAME_MAX_LENGTH) problems.push(`name part ${maxBytesMessage(LABEL_NAME_MAX_LENGTH)}`);
  if (!labelName.test(name)) {
    problems.push(`name part ${regexMessage(LABEL_NAME_TEXT, LABEL_NAME, 'MyName', 'my.name', '123-abc')}`);
  }
  return problems;
}

export function isLabelValue(value: string): string[] {
  const problems: string[] = [];
  if (goLength(value) > LABEL_VALUE_MAX_LENGTH) problems.push(maxBytesMessage(LABEL_VALUE_MAX_LENGTH));
  if (!labelValue.test(value)) {
    problems.push(
      regexMessage(
        `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
        LABEL_VALUE,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  }
  return problems;
}

export const isCIdentifier = (value: string): string[] =>
  cIdentifier.test(value)
    ? []
    : [
        regexMessage(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          C_IDENTIFIER,
          'my_name',
          'MY_NAME',
          'MyName',
        ),
      ];

export const isInRange = (value: number, low: number, high: number): string[] =>
  value >= low && value <= high ? [] : [inclusiveRangeMessage(low, high)];

export const isPortNumber = (port: number): string[] => isInRange(port, 1, 65535);
/** Unix user and group ids. */
export const isUserOrGroupId = (id: number): string[] => isInRange(id, 0, MAX_ID);

/** An IANA_SVC_NAME (RFC 6335), lower case only: names of container ports and targetPorts. */
export function isPortName(name: string): string[] {
  const problems: string[] = [];
  if (goLength(name) > PORT_NAME_MAX_LENGTH) problems.push(maxLengthMessage(PORT_NAME_MAX_LENGTH));
  if (!/^[-a-z0-9]+$/.test(name)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export const isPercent = (value: string): string[] =>
  percent.test(value)
    ? []
    : [regexMessage("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, '1%', '93%')];

export const isHttpHeaderName = (value: string): string[] =>
  httpHeader.test(value)
    ? []
    : [
        regexMessage(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          HTTP_HEADER,
          'X-Header-Name',
        ),
      ];

export const isHttpPath = (value: string): string[] =>
  httpPath.test(value) ? [] : [regexMessage('Invalid path', HTTP_PATH)];

function parentDirectoryProblems(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

export function isEnvVarName(value: string): string[] {
  const problems: string[] = [];
  if (!envVarName.test(value)) {
    problems.push(
      regexMessage(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
        ENV_VAR_NAME,
        'my.env-name',
        'MY_ENV.NAME',
        'MyEnvName1',
      ),
    );
  }
  return [...problems, ...parentDirectoryProblems(value)];
}

/** What containers may name variables since 1.32: any printable ASCII but '='. */
export function isRelaxedEnvVarName(value: string): string[] {
  const problems: string[] = [];
  if (value === '') problems.push(`environment variable name ${emptyMessage}`);
  if (/[^ -<>-~]/.test(value)) {
    problems.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return problems;
}

/** Keys of ConfigMaps and Secrets. */
export function isConfigMapKey(value: string): string[] {
  const problems: string[] = [];
  if (goLength(value) > DNS1123_SUBDOMAIN_MAX_LENGTH) problems.push(maxLengthMessage(DNS1123_SUBDOMAIN_MAX_LENGTH));
  if (!configKey.test(value)) {
    problems.push(
      regexMessage(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_KEY,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  return [...problems, ...parentDirectoryProblems(value)];
}

/**
 * A check of metadata.name. With `prefix` the value is a generateName, to which characters will be appended.
 */
export type NameCheck = (name: string, prefix: boolean) => string[];

/** Upstream replaces the last two characters, not only the dash; kept, since it shows in what is accepted. */
const maskTrailingDash = (name: string): string =>
  name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;

export const nameIsDnsSubdomain: NameCheck = (name, prefix) =>
  isDns1123Subdomain(prefix ? maskTrailingDash(name) : name);
export const nameIsDnsLabel: NameCheck = (name, prefix) => isDns1123Label(prefix ? maskTrailingDash(name) : name);
export const nameIsDns1035Label: NameCheck = (name, prefix) => isDns1035Label(prefix ? maskTrailingDash(name) : name);

/** What every name must satisfy to be part of a URL path and a storage key. */
export const nameIsPathSegment: NameCheck = (name, prefix) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter(part => name.includes(part)).map(part => `may not contain '${part}'`);
};
