/** The real traces of the repository: three in `examples/`, nine beside the tests of `replay`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = ['../../../examples', '../../replay/test/golden'];

/** File names, such as `d1-dpdk-virtio-user.txt.gz`, in order. */
export const GOLDEN_TRACES: readonly string[] = [...pathsByName().keys()].toSorted();

/** Where a golden trace is. */
export function goldenPath(name: string): string {
  const path = pathsByName().get(name);
  if (path === undefined) throw new Error(`no golden trace is called ${name}`);
  return path;
}

/** The trace of the kernel with the fix series. */
export const FIXES_TRACE: string = GOLDEN_TRACES.find((name) => name.startsWith('f1-')) ?? '';

function pathsByName(): Map<string, string> {
  const paths = new Map<string, string>();
  for (const folder of FOLDERS.map((from) => join(import.meta.dirname, from))) {
    for (const name of readdirSync(folder)) {
      if (/^[a-z]\d-.*\.txt\.gz$/.test(name)) paths.set(name, join(folder, name));
    }
  }
  return paths;
}
