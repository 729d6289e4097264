/** Numbers of the Parquet format (parquet.thrift) that an export uses. */
export const MAGIC = 'PAR1';

export const TYPE = { int32: 1, int64: 2, text: 6 } as const;

export const REPETITION = { required: 0, optional: 1 } as const;

/** ConvertedType: what the bits mean. */
export const CONVERTED = { utf8: 0, u8: 11, u16: 12, u32: 13, u64: 14, i32: 17, i64: 18 } as const;

export const ENCODING = { plain: 0, rle: 3, dictionary: 8 } as const;

export const CODEC = { uncompressed: 0, gzip: 2 } as const;

export const PAGE = { data: 0, dictionary: 2 } as const;
