export { fleetTests as default } from '../../vitest.shared.ts';
