import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Emits the declarations as the build does, into `outDir`. Returns the entry's file. */
function emitDeclarations(outDir: string): string {
  const { options, fileNames } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.build.json'), (path) => ts.sys.readFile(path)).config,
    ts.sys,
    root,
    { outDir, emitDeclarationOnly: true, declarationMap: false, composite: false },
  );
  delete options.tsBuildInfoFile;
  const { emitSkipped, diagnostics } = ts.createProgram(fileNames, options).emit();
  expect({ emitSkipped, diagnostics }).toEqual({ emitSkipped: false, diagnostics: [] });
  return join(outDir, 'index.d.ts');
}

/**
 * Everything that an importer of the package can name or reach from what it can name, as it is
 * declared, without comments and in the order of the names.
 */
function readSurface(entry: string): string {
  const program = ts.createProgram([entry], { module: ts.ModuleKind.NodeNext, types: [] });
  const checker = program.getTypeChecker();
  const exported = new Set(
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!)
      .map((symbol) => resolve(symbol)),
  );
  // A set goes on to what is added to it while it is walked.
  const reached = new Set(exported);
  const declared: string[] = [];
  const printer = ts.createPrinter({ removeComments: true });
  for (const symbol of reached) {
    for (const declaration of symbol.declarations ?? []) {
      // A variable's own declaration is only its name and type.
      const statement = ts.isVariableDeclaration(declaration)
        ? declaration.parent.parent
        : declaration;
      const source = statement.getSourceFile();
      if (program.isSourceFileDefaultLibrary(source)) continue;
      visit(statement);
      const text = printer.printNode(ts.EmitHint.Unspecified, statement, source);
      const bare = text.replace(/^(?:export )?(?:declare )?/, '');
      declared.push(`${exported.has(symbol) ? 'export ' : ''}${bare}\n`);
    }
  }
  const nameOf = (text: string): string => /(?:function|const|interface|type) (\w+)/.exec(text)![1];
  return declared.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).join('\n');

  function resolve(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }

  /** Adds what a declaration refers to; its own members and type parameters are part of it. */
  function visit(node: ts.Node): void {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      if (symbol !== undefined) {
        const target = resolve(symbol);
        const [declaration] = target.declarations ?? [];
        const outer = ts.isVariableDeclaration(declaration)
          ? declaration.parent.parent.parent
          : declaration.parent;
        if (ts.isSourceFile(outer)) reached.add(target);
      }
    }
    ts.forEachChild(node, visit);
  }
}

it('the public API is the one on record', { timeout: 60_000 }, async () => {
  const outDir = mkdtempSync(join(tmpdir(), 'bpftrace-parser-api-'));
  try {
    const report = `# Public API of bpftrace-parser

Written by \`pnpm --filter bpftrace-parser api\` from the declarations that the build emits. A test
fails when the two differ. What has no \`export\` cannot be imported, and is part of what can.

\`\`\`ts
${readSurface(emitDeclarations(outDir))}\`\`\`
`;
    await expect(
      report,
      'The public API has changed. If that is meant, and the version says so: pnpm --filter bpftrace-parser api',
    ).toMatchFileSnapshot(join(root, 'bpftrace-parser.api.md'));
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
});
