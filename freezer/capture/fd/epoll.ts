import {constants} from '../../../builder/format/schema.js';
import {kcmp, kcmpType} from '../../sys/pidfd.js';
import type {CaptureContext} from '../context.js';
import {type EpollInfo, parseEpoll} from './fdinfo.js';
import type {Survey} from './survey.js';
import {append, type Carried, type Description, type Holder, where} from './types.js';

/** A registration stands for a description, not for the number it was made under: that may have been closed or taken by another. */
export function captureEpoll(context: CaptureContext, survey: Survey, description: Description): Carried {
	const first = context.snapshot.epoll_entry.length;
	const earlier = new Map<number, number>();
	for (const entry of parseEpoll(description.info.text)) {
		const nth = earlier.get(entry.fd) ?? 0;
		earlier.set(entry.fd, nth + 1);
		const watched = watchedBy(survey, description, entry, nth);
		if (!watched) {
			context.warn({
				...where(description),
				kind: 'epoll-entry',
				text: `an epoll registration of descriptor ${entry.fd}, whose file is held only outside the target: after the resume it is gone`,
			});
			continue;
		}

		append(context, 'epoll_entry', {
			data: entry.data,
			events: entry.events,
			fd: entry.fd,
			description: watched.row,
			pad0: 0,
		});
	}

	return {
		kind: constants.KIND.EPOLL,
		row: append(context, 'epoll', {first, count: context.snapshot.epoll_entry.length - first}),
	};
}

function watchedBy(survey: Survey, epoll: Description, entry: EpollInfo, nth: number): Description | undefined {
	const holder = epoll.holders[0];
	if (!holder) {
		return undefined;
	}

	const likely = survey.at(holder.task, entry.fd);
	if (likely && isWatched(holder, {task: holder.task, fd: entry.fd}, entry.fd, nth) !== false) {
		return likely;
	}

	return survey.descriptions.find((candidate) => {
		const other = candidate.holders[0] ?? candidate.inFlight;
		return other !== undefined && candidate.stat.ino === entry.ino && isWatched(holder, other, entry.fd, nth) === true;
	});
}

/** kcmp(2), KCMP_EPOLL_TFD: is the file behind a descriptor what the epoll has under its `nth` registration of `number`? */
function isWatched(
	epoll: Holder,
	other: Pick<Holder, 'task' | 'fd'> | number,
	number: number,
	nth: number,
): boolean | undefined {
	const slot = Buffer.alloc(12);
	slot.writeUInt32LE(epoll.fd, 0);
	slot.writeUInt32LE(number, 4);
	slot.writeUInt32LE(nth, 8);
	const [pid, fd] = typeof other === 'number' ? [process.pid, other] : [other.task.pid as number, other.fd];
	const result = kcmp(pid, epoll.task.pid, kcmpType.EPOLL_TFD, fd, slot);
	return result === undefined ? undefined : result === 0;
}
