/** Reads Protocol Buffers with another implementation than the one that wrote them. */
import protobuf from 'protobufjs';

/**
 * A reader of one kind of message; whole numbers of 64 bits and enums are given as text. It throws at fields that
 * the schema does not know.
 *
 * @param schema in proto2
 * @param options of protobufjs: `keepCase` leaves names as they are, `arrays` shows lists that are empty
 */
export function messageReader(
  schema: string,
  name: string,
  options: { readonly keepCase?: boolean; readonly arrays?: boolean } = {},
): (bytes: Uint8Array) => unknown {
  const type = protobuf.parse(`syntax = "proto2"; ${schema}`, options).root.lookupType(name);
  return (bytes) => {
    const message = type.decode(bytes);
    // What is written again is shorter when a field was not known.
    if (type.encode(message).finish().length !== bytes.length) throw new Error('unknown fields');
    return type.toObject(message, { longs: String, enums: String, ...options });
  };
}
