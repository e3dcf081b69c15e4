import {statfsSync} from 'node:fs';
import {constants} from '../../../builder/format/schema.js';
import {F_GET_SEALS, fcntl} from '../../sys/descriptors.js';
import {type CaptureContext, contentKey} from '../context.js';
import {contentSource} from './content.js';
import {hangup} from './external.js';
import {append, type Carried, type Description, O_ACCMODE, where, withPulled} from './types.js';

const MFD_ALLOW_SEALING = 2;
const F_SEAL_SEAL = 1;
const HUGETLBFS = 0x9584_58f6;

/** A memfd is known by its name and by having seals, which files on a tmpfs have not. */
export const isMemfd = ({link}: Description): boolean => link.startsWith('/memfd:') && link.endsWith(' (deleted)');

export function captureMemfd(context: CaptureContext, description: Description): Carried {
	const {stat, link, info} = description;
	if (withPulled(description, (fd) => statfsSync(`/proc/self/fd/${fd}`).type) === HUGETLBFS) {
		context.refuse({
			...where(description),
			kind: 'hugetlb',
			text: `a memfd of huge pages (${link}): the place of the resume may have no pool of them`,
		});
		return hangup(context, description, {kind: 'hugetlb', told: link, byDefault: 'refuse'});
	}

	const content = context.content(contentKey(stat.dev, stat.ino), () => {
		const seals = withPulled(description, (fd) => fcntl(fd, F_GET_SEALS)) ?? F_SEAL_SEAL;
		return {
			row: {
				size: stat.size,
				kind: constants.CONTENT.MEMFD,
				seals,
				mode: stat.mode & 0o7777,
				memfd_flags: seals & F_SEAL_SEAL ? 0 : MFD_ALLOW_SEALING,
				uid: stat.uid,
				gid: stat.gid,
				name: link.slice('/memfd:'.length, -' (deleted)'.length),
				xattr: new Uint8Array(),
			},
			source: contentSource(description),
		};
	});
	return {
		kind: constants.KIND.MEMFD,
		row: append(context, 'memfd', {position: info.position, content, open_flags: info.flags & O_ACCMODE}),
	};
}
