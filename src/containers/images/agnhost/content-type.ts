/** Tags that make Go's http.DetectContentType take a text for a page. */
const TAGS = new Set(
  'html,head,script,iframe,h1,div,font,table,a,style,title,b,body,br,p'.split(',').map(tag => `<${tag}`),
);

/** What a Go server says of a text that it was given no type for. */
export function sniffedTextType(text: string): string {
  const start = text.slice(0, 512).trimStart().toLowerCase();
  const end = start.search(/[ >]/);
  const isPage =
    start.startsWith('<!--') || (end > 0 && TAGS.has(start.slice(0, end))) || /^<!doctype html[ >]/.test(start);
  return isPage ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
}
