/** Longer words are compared by nobody: it takes their lengths multiplied. */
const MAX_LENGTH = 64;

/** How many letters have to be changed, left out, put in or exchanged with the next one to make one word of another. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const now = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (now[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] && i > 1 && j > 1)
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      now.push(cost);
    }
    before = last;
    last = now;
  }
  return last[b.length] ?? 0;
}

/** The word that somebody may have meant: at most two letters in five differ; undefined: none is near. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  if (word.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of words) {
    if (candidate.length > MAX_LENGTH) continue;
    const distance = editDistance(word, candidate);
    if (distance <= Math.max(word.length, candidate.length) * 0.4 && distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}
