import {constants} from '../../../builder/format/schema.js';
import type {CaptureContext} from '../context.js';
import {parseEventfd} from './fdinfo.js';
import {append, type Carried, type Description} from './types.js';

const EFD_SEMAPHORE = 1;

/** Before Linux 6.5 the semaphore flag is not told: such an eventfd comes back as a counter. */
export function captureEventfd(context: CaptureContext, {info}: Description): Carried {
	const {count, semaphore} = parseEventfd(info.text);
	return {
		kind: constants.KIND.EVENTFD,
		row: append(context, 'eventfd', {count, flags: semaphore ? EFD_SEMAPHORE : 0, pad0: 0}),
	};
}
