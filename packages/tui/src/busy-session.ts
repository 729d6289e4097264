/** Whether a session has more to do than time itself brings. */
import type { DashboardView } from './dashboard.js';

export function isBusy({ clock }: DashboardView): boolean {
  return (
    clock.seeking !== undefined ||
    clock.isLagging ||
    (!clock.isPaused && !clock.isLive && clock.speed === 'max' && clock.at < clock.end)
  );
}
