/** What --write-out asks for. */
export function writeOut(
  format: string,
  { url, code, size, ms, ip, type }: { url: string; code: number; size: number; ms: number; ip: string; type: string },
): string {
  const values: Readonly<Record<string, string>> = {
    http_code: String(code).padStart(3, '0'),
    response_code: String(code).padStart(3, '0'),
    size_download: String(size),
    time_total: (ms / 1000).toFixed(6),
    remote_ip: ip,
    url_effective: url,
    content_type: type,
  };
  return format
    .replace(/%\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/%%/g, '%');
}
