/** The designs that a command line names. */
import { DESIGNS, type Design } from '@vhostscope/model';
import { EXIT, printable, ProgramError } from '@vhostscope/terminal';
import { readDesignFile } from './design-file.js';

export interface DesignOptions {
  /** Name of a design; absent: that of the design file if it has one row, else merged. */
  readonly design?: string;
  /** Rows of one's own. */
  readonly designFile?: string;
}

/**
 * The design that is to be replayed.
 *
 * @throws ProgramError that names those that there are, or what is wrong with the file
 */
export function chosenDesign({ design, designFile }: DesignOptions): Design {
  const own = designFile === undefined ? [] : readDesignFile(designFile);
  const [first] = own;
  if (design === undefined && first !== undefined) {
    if (own.length === 1) return first;
    throw new ProgramError(`${printable(designFile ?? '')} holds ${own.length} designs`, {
      advice: `name one with --design: ${own.map(({ name }) => name).join(', ')}`,
      exitCode: EXIT.unusable,
    });
  }
  return named(design ?? 'merged', [...DESIGNS, ...own]);
}

/** The designs of a list `a,b,c`, in which `all` is all that there are; those of the design file are among them. */
export function chosenDesigns(names: string, designFile: string | undefined): readonly Design[] {
  const own = designFile === undefined ? [] : readDesignFile(designFile);
  // A file may hold designs of the table as they are.
  const known = [...new Set([...DESIGNS, ...own])];
  const wanted = names.split(',').map((name) => name.trim());
  return [...new Set(wanted.flatMap((name) => (name === 'all' ? known : named(name, known))))];
}

function named(name: string, known: readonly Design[]): Design {
  const design = known.find((one) => one.name === name);
  if (design !== undefined) return design;
  throw new ProgramError(`no design is called "${printable(name)}"`, {
    advice: `the designs are: ${known.map((one) => one.name).join(', ')}`,
    exitCode: EXIT.unusable,
  });
}
