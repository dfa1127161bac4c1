/**
 * Row keys: 64 bits a row, by which `jobs.lock` recognises a row wherever it moved. They only match rows; what a job
 * means has a digest of its own. Two lanes of multiply and rotate in plain JavaScript: ten times faster than a
 * call of `crypto` for rows this short, and a million keys are two typed arrays.
 */

/** The keys of many rows: the upper and the lower half. */
export interface Keys {
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
}

export function makeKeys(length: number): Keys {
  return { hi: new Uint32Array(length), lo: new Uint32Array(length) };
}

/** Writes the key of a text to `keys[at]`; `salt` tells apart what has the same text. */
export function putKey(keys: Keys, at: number, text: string, salt = 0): void {
  let a = 0x9e3779b9 ^ salt;
  let b = 0x85ebca6b ^ Math.imul(salt, 0xc2b2ae35);
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    a = Math.imul(a ^ char, 0x85ebca77);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ char, 0xc2b2ae3d);
    b = (((b << 17) | (b >>> 15)) + a) | 0;
  }
  a ^= text.length;
  a = spread(a ^ Math.imul(b, 0x27d4eb2f));
  b = spread(b ^ Math.imul(a, 0x165667b1));
  keys.hi[at] = a;
  keys.lo[at] = b;
}

/** The final mix of MurmurHash3: every bit of the input reaches every bit of the output. */
function spread(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

export function sameKey(left: Keys, i: number, right: Keys, j: number): boolean {
  return left.lo[i] === right.lo[j] && left.hi[i] === right.hi[j];
}

/**
 * Hands out the places of equal keys in their order, each once: the k-th equal row finds the k-th equal row. Returns
 * -1 when there is none left.
 */
export function keyQueue(keys: Keys, from: number, to: number): (wanted: Keys, at: number) => number {
  let size = 16;
  while (size < (to - from) * 2) size *= 2;
  /** Any one of the places with the slot's key, to compare with; and the next one to hand out. */
  const owner = new Int32Array(size).fill(-1);
  const head = new Int32Array(size).fill(-1);
  const next = new Int32Array(to - from).fill(-1);
  const slotOf = (wanted: Keys, at: number): number => {
    let slot = (wanted.lo[at] ?? 0) & (size - 1);
    for (;;) {
      const place = owner[slot] ?? -1;
      if (place < 0 || sameKey(keys, place, wanted, at)) return slot;
      slot = (slot + 1) & (size - 1);
    }
  };
  for (let place = to - 1; place >= from; place--) {
    const slot = slotOf(keys, place);
    next[place - from] = head[slot] ?? -1;
    owner[slot] = place;
    head[slot] = place;
  }
  return (wanted, at) => {
    const slot = slotOf(wanted, at);
    const place = head[slot] ?? -1;
    if (place >= 0) head[slot] = next[place - from] ?? -1;
    return place;
  };
}
