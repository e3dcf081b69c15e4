import {constants} from '../../../builder/format/schema.js';
import type {CaptureContext} from '../context.js';
import {parseSignalfd} from './fdinfo.js';
import {append, type Carried, type Description} from './types.js';

/** The signals themselves are pending in the process, not in the descriptor. */
export const captureSignalfd = (context: CaptureContext, {info}: Description): Carried => ({
	kind: constants.KIND.SIGNALFD,
	row: append(context, 'signalfd', {mask: parseSignalfd(info.text)}),
});
