/** The list to choose a design from. */
import type { Command, DashboardView } from '../dashboard.js';
import type { Picker, ScreenState } from './screen-state.js';

/** What can be chosen; undefined is none beside. */
export function choices(of: Picker['of'], { designs }: DashboardView): (string | undefined)[] {
  return of === 'design' ? [...designs] : [undefined, ...designs];
}

/** The list, on what is chosen now. */
export function pickerOf(of: Picker['of'], view: DashboardView): Picker {
  const { wanted } = view;
  const now = of === 'design' ? wanted.design : wanted.beside;
  return { of, index: Math.max(0, choices(of, view).indexOf(now)) };
}

export function pickDesign(
  state: ScreenState,
  picker: Picker,
  key: string,
  { view, page }: { readonly view: DashboardView; readonly page: number },
): { state: ScreenState; commands: readonly Command[]; leave?: 'quit' } {
  const all = choices(picker.of, view);
  const at = (index: number): ScreenState => ({
    ...state,
    picker: { ...picker, index: Math.max(0, Math.min(all.length - 1, index)) },
  });
  switch (key) {
    case 'up':
    case 'k':
      return { state: at(picker.index - 1), commands: [] };
    case 'down':
    case 'j':
      return { state: at(picker.index + 1), commands: [] };
    case 'pageup':
      return { state: at(picker.index - page), commands: [] };
    case 'pagedown':
      return { state: at(picker.index + page), commands: [] };
    case 'home':
    case 'g':
      return { state: at(0), commands: [] };
    case 'end':
    case 'G':
      return { state: at(all.length - 1), commands: [] };
    case 'enter':
      return {
        state: { ...state, picker: undefined },
        commands: [{ do: picker.of, name: all[picker.index] }],
      };
    case 'q':
      return { state, commands: [], leave: 'quit' };
    case 'escape':
    case 'd':
    case 'b':
      return { state: { ...state, picker: undefined }, commands: [] };
    default:
      return { state, commands: [] };
  }
}
