import type {CaptureContext} from '../context.js';

/** Placeholder until the descriptor kinds are there. */
export function captureDescriptors(_context: CaptureContext): void {}
