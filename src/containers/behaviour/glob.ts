/** Whether a text is as a pattern says, in which "*" is any text, "?" any one character. Takes their lengths multiplied at most. */
export function matchesGlob(text: string, pattern: string): boolean {
  let [at, next] = [0, 0];
  /** The last star, and how far the text had come when it was met. */
  let [star, from] = [-1, 0];
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++;
      from = at;
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++from;
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
