/** Bytes that come in pieces and are looked at as one: each is copied a few times at most, however many there are. */
export interface GrowingBytes {
  /** All so far; as they are until more come. */
  readonly all: Uint8Array;
  append(bytes: Uint8Array): void;
  /** Lets go of them. */
  clear(): void;
}

export function createGrowingBytes(): GrowingBytes {
  let room = new Uint8Array(0);
  let length = 0;
  return {
    get all() {
      return room.subarray(0, length);
    },
    append: (bytes) => {
      if (length + bytes.length > room.length) {
        const larger = new Uint8Array(Math.max(length + bytes.length, 2 * room.length));
        larger.set(room.subarray(0, length));
        room = larger;
      }
      room.set(bytes, length);
      length += bytes.length;
    },
    clear: () => {
      room = new Uint8Array(0);
      length = 0;
    },
  };
}
