/**
 * Suggestions for misspelt words.
 *
 * @module
 */

/** How many letters must be inserted, removed, changed, or swapped with the next one. */
function distance(a: string, b: string): number {
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const isSwapped = j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      next.push(Math.min(
        row[j + 1] + 1,
        next[j] + 1,
        row[j] + Number(a[i] !== b[j]),
        isSwapped ? before[j - 1] + 1 : Infinity,
      ));
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}

function plain(text: string): string {
  return text.replace(/[-_ ]/g, "").toLowerCase();
}

/** Those of `words` nearest to `word`, at most `most` letters away. */
export function near(word: string, words: readonly string[], most: number): string[] {
  const ranked = words
    .map((one) => ({ one, far: distance(plain(word), plain(one)) }))
    .filter(({ far }) => far <= most);
  const nearest = Math.min(...ranked.map(({ far }) => far));
  return ranked.filter(({ far }) => far === nearest).map(({ one }) => one);
}
