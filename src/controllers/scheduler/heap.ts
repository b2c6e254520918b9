/** A binary heap: `pop` gives the element that is before all others. */
export interface Heap<T> {
  push(element: T): void;
  pop(): T | undefined;
}

export function createHeap<T>(isBefore: (a: T, b: T) => boolean): Heap<T> {
  const elements: T[] = [];
  const at = (i: number): T => elements[i] as T;
  const swap = (i: number, j: number): void => {
    [elements[i], elements[j]] = [at(j), at(i)];
  };
  return {
    push(element) {
      let i = elements.push(element) - 1;
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (!isBefore(at(i), at(parent))) break;
        swap(i, parent);
        i = parent;
      }
    },
    pop() {
      const first = elements[0];
      const last = elements.pop();
      if (elements.length === 0 || last === undefined) return first;
      elements[0] = last;
      for (let i = 0; ;) {
        let next = i;
        for (const child of [2 * i + 1, 2 * i + 2])
          if (child < elements.length && isBefore(at(child), at(next))) next = child;
        if (next === i) return first;
        swap(i, next);
        i = next;
      }
    },
  };
}
