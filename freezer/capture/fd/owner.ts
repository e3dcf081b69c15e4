import {F_GETSIG, fcntl, fileOwner} from '../../sys/descriptors.js';
import type {CaptureContext} from '../context.js';
import {innerIdOf} from './pidfd.js';
import {type Description, where, withPulled} from './types.js';

const F_OWNER_PGRP = 2;

/** Who gets SIGIO for the description, by the id the target knows. Owners outside the target are told and left out. */
export function ownerOf(
	context: CaptureContext,
	description: Description,
): {owner: number; owner_type: number; owner_sig: number} {
	return withPulled(description, (fd) => {
		const {type, id} = fileOwner(fd);
		const owner_sig = fcntl(fd, F_GETSIG) ?? 0;
		if (id === 0) {
			return {owner: 0, owner_type: 0, owner_sig};
		}

		const own = context.tasks.find(({pid}) => (pid as number) === id);
		const owner = type === F_OWNER_PGRP ? (own?.innerPid ?? id) : innerIdOf(context, id);
		if (owner === undefined) {
			context.warn({
				...where(description),
				kind: 'owner',
				text: `signals of ${description.link} go to process ${id}, which is outside the target: after the resume nobody gets them`,
			});
		}

		return {owner: owner ?? 0, owner_type: type, owner_sig};
	});
}
