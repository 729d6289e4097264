/** Whether standard output is a terminal that a screen can be drawn on; one that calls itself dumb takes lines only. */
export function canDraw(
  { isTTY }: { readonly isTTY: boolean } = process.stdout,
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return isTTY && env['TERM'] !== 'dumb';
}
