// The keys of a JSON Schema, as one list.

/** What is nested deeper is a matter for the schema itself. */
const MOST_DEPTH = 8;

/**
 * @param {object} schema - JSON Schema, draft 2020-12
 * @returns {{ key: string, type: string, isOptional: boolean, doc: string }[]} in the order of the schema; `a.b` is a
 *   key of an object, `a[]` an element of a list, `a.*` any key
 */
export function keysOf(schema) {
  const definitions = schema.$defs ?? schema.definitions ?? {};
  const resolve = (one) =>
    one.$ref === undefined ? one : { ...definitions[one.$ref.split('/').at(-1)], ...one };
  const found = new Map();

  function visit(given, key, isOptional, depth) {
    const one = resolve(given);
    if (key !== '') {
      const before = found.get(key);
      found.set(key, {
        key,
        type:
          before === undefined || before.type === typeOf(one)
            ? typeOf(one)
            : `${before.type} or ${typeOf(one)}`,
        isOptional: isOptional || (before?.isOptional ?? false),
        doc: one.description ?? before?.doc ?? '',
      });
    }
    if (depth < MOST_DEPTH) below(one, key, depth);
  }

  function below(one, key, depth) {
    const inner = (name) => (key === '' ? name : `${key}.${name}`);
    for (const variant of [...(one.anyOf ?? []), ...(one.oneOf ?? []), ...(one.allOf ?? [])])
      below(resolve(variant), key, depth);
    for (const [name, property] of Object.entries(one.properties ?? {}))
      visit(property, inner(name), !(one.required ?? []).includes(name), depth + 1);
    if (
      typeof one.additionalProperties === 'object' &&
      Object.keys(one.additionalProperties).length > 0
    )
      visit(one.additionalProperties, inner('*'), false, depth + 1);
    if (typeof one.items === 'object') below(resolve(one.items), `${key}[]`, depth + 1);
  }

  function typeOf(given) {
    const one = resolve(given);
    if (one.const !== undefined) return JSON.stringify(one.const);
    if (one.enum !== undefined) return one.enum.map((value) => JSON.stringify(value)).join(', ');
    const variants = one.anyOf ?? one.oneOf ?? one.allOf;
    if (variants !== undefined) return [...new Set(variants.map(typeOf))].join(' or ');
    if (one.type === 'array')
      return typeof one.items === 'object' ? `list of ${typeOf(one.items)}` : 'list';
    return Array.isArray(one.type) ? one.type.join(' or ') : (one.type ?? 'any');
  }

  visit(schema, '', false, 0);
  return [...found.values()];
}
