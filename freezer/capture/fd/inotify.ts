import {constants} from '../../../builder/format/schema.js';
import {bytesWaiting} from '../../sys/descriptors.js';
import type {CaptureContext} from '../context.js';
import {parseInotify} from './fdinfo.js';
import {append, type Carried, type Description, where, withPulled} from './types.js';
import type {WatchedPaths} from './watched-paths.js';

/** Watches know inodes, not paths: the paths are searched for. Events that wait cannot be looked at without taking them out. */
export function captureInotify(context: CaptureContext, paths: WatchedPaths, description: Description): Carried {
	const first = context.snapshot.inotify_watch.length;
	for (const watch of parseInotify(description.info.text)) {
		const path = paths.find(watch);
		if (path === undefined) {
			context.refuse({
				...where(description),
				kind: 'inotify-watch',
				text: `inotify watch ${watch.wd}: no path is found to inode ${watch.ino} on device ${watch.dev >> 8n}:${watch.dev & 0xffn}`,
				hint: 'As root every path is found.',
			});
			continue;
		}

		append(context, 'inotify_watch', {ino: watch.ino, dev: watch.dev, wd: watch.wd, mask: watch.mask, path});
	}

	const waiting = withPulled(description, bytesWaiting);
	if (waiting > 0) {
		context.warn({
			...where(description),
			kind: 'inotify-events',
			text: `${waiting} bytes of inotify events that were not read yet: after the resume they are gone`,
		});
	}

	return {
		kind: constants.KIND.INOTIFY,
		row: append(context, 'inotify', {
			first,
			count: context.snapshot.inotify_watch.length - first,
			pending: new Uint8Array(),
		}),
	};
}
