/** Makes BTF of a few structs, as a kernel or a module describes them. */

export interface DescribedMember {
  readonly name: string;
  /** Name of a struct, or bytes of a number; `pointer` is one to anything. */
  readonly type: string | number;
  /** Bytes from the beginning of the struct. */
  readonly at: number;
}

export type DescribedStructs = Readonly<Record<string, readonly DescribedMember[]>>;

const INT = 1;
const POINTER = 2;
const ARRAY = 3;
const STRUCT = 4;

/**
 * @param base structs that are described before, as those of the kernel are before a module's; with the
 *   same members that gives the same numbers of types and strings
 */
export function btfOf(structs: DescribedStructs, base?: DescribedStructs): Uint8Array {
  const before = base === undefined ? { types: 1, strings: 0, of: new Map() } : countsOf(base);
  const { typeBytes, strings } = describe(structs, before);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  for (const [index, word] of [24, 0, typeBytes.length, typeBytes.length, strings.length].entries())
    header.writeUInt32LE(word, 4 + 4 * index);
  return Buffer.concat([header, typeBytes, strings]);
}

interface Before {
  readonly types: number;
  readonly strings: number;
  readonly of: ReadonlyMap<string, number>;
}

function countsOf(structs: DescribedStructs): Before {
  const { next, strings, of } = describe(structs, { types: 1, strings: 0, of: new Map() });
  return { types: next, strings: strings.length, of };
}

function describe(
  structs: DescribedStructs,
  before: Before,
): { typeBytes: Buffer; strings: Buffer; next: number; of: Map<string, number> } {
  let text = before.strings === 0 ? '\0' : '';
  const place = (name: string): number => {
    if (name === '') return 0;
    const at = before.strings + text.length;
    text += `${name}\0`;
    return at;
  };
  const records: Buffer[] = [];
  let next = before.types;
  const of = new Map(before.of);
  const add = (...words: readonly number[]): number => {
    const record = Buffer.alloc(4 * words.length);
    for (const [index, word] of words.entries()) record.writeUInt32LE(word, 4 * index);
    records.push(record);
    return next++;
  };
  const anything = add(0, POINTER << 24, 0);
  const three = add(0, ARRAY << 24, 0, anything, anything, 3);
  const builtIn = new Map([
    ['pointer', anything],
    ['three pointers', three],
  ]);
  const numbers = new Map(
    [1, 2, 4].map((bytes) => [bytes, add(place(`u${8 * bytes}`), INT << 24, bytes, 8 * bytes)]),
  );
  for (const [name, members] of Object.entries(structs)) {
    const words = members.flatMap((member) => {
      const { type } = member;
      const id = typeof type === 'number' ? numbers.get(type) : (builtIn.get(type) ?? of.get(type));
      return [place(member.name), id ?? 0, 8 * member.at];
    });
    of.set(name, add(place(name), (STRUCT << 24) | members.length, 4096, ...words));
  }
  return { typeBytes: Buffer.concat(records), strings: Buffer.from(text), next, of };
}

/** Of Linux 6.1 (Debian 12), as far as recordings with perf ask; other numbers where the order is all that matters. */
export const KERNEL_STRUCTS: DescribedStructs = {
  memory_counts: [
    { name: 'owner', type: 'pointer', at: 920 },
    { name: 'notifier_subscriptions', type: 'pointer', at: 944 },
  ],
  // Nearly all of it is one member without a name.
  mm_struct: [{ name: '', type: 'memory_counts', at: 0 }],
  task_struct: [{ name: 'tgid', type: 4, at: 2420 }],
  mmu_notifier_range: [
    { name: 'mm', type: 'pointer', at: 8 },
    { name: 'start', type: 'pointer', at: 16 },
    { name: 'end', type: 'pointer', at: 24 },
    { name: 'flags', type: 4, at: 32 },
    { name: 'event', type: 4, at: 36 },
  ],
  mutex: [{ name: 'owner', type: 'pointer', at: 0 }],
};

export const VHOST_STRUCTS: DescribedStructs = {
  vhost_vring_call: [{ name: 'ctx', type: 'pointer', at: 0 }],
  vhost_virtqueue: [
    { name: 'dev', type: 'pointer', at: 0 },
    { name: 'mutex', type: 'mutex', at: 8 },
    { name: 'num', type: 4, at: 40 },
    { name: 'desc', type: 'pointer', at: 48 },
    { name: 'avail', type: 'pointer', at: 56 },
    { name: 'used', type: 'pointer', at: 64 },
    { name: 'meta_iotlb', type: 'three pointers', at: 72 },
    { name: 'call_ctx', type: 'vhost_vring_call', at: 104 },
    { name: 'last_avail_idx', type: 2, at: 304 },
    { name: 'avail_idx', type: 2, at: 306 },
    { name: 'last_used_idx', type: 2, at: 308 },
    { name: 'used_flags', type: 2, at: 310 },
    { name: 'signalled_used_valid', type: 1, at: 314 },
    { name: 'busyloop_timeout', type: 4, at: 17_736 },
    { name: 'iotlb', type: 'pointer', at: 17_760 },
    { name: 'private_data', type: 'pointer', at: 17_768 },
    { name: 'acked_features', type: 'pointer', at: 17_776 },
  ],
  vhost_dev: [
    { name: 'mm', type: 'pointer', at: 0 },
    { name: 'vqs', type: 'pointer', at: 40 },
    { name: 'nvqs', type: 4, at: 48 },
  ],
};
