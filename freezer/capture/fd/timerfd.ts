import {readFileSync} from 'node:fs';
import {constants} from '../../../builder/format/schema.js';
import {CLOCK, clockNow} from '../../sys/clock.js';
import {timerfdForward} from '../../sys/descriptors.js';
import {tryReadProcText} from '../../sys/procfs.js';
import type {CaptureContext} from '../context.js';
import {parseTimeOffsets, parseTimerfd} from './fdinfo.js';
import {append, type Carried, type Description, withPulled} from './types.js';

const TFD_TIMER_ABSTIME = 1;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_REALTIME_ALARM = 8;

/**
 * Ticks of a periodic timer are counted when somebody asks (fs/timerfd.c, do_timerfd_gettime), so we ask before fdinfo is read.
 * Times are those of the target's own clocks.
 */
export function captureTimerfd(context: CaptureContext, description: Description): Carried {
	const text = withPulled(description, (fd) => {
		timerfdForward(fd);
		return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
	});
	const {clockid, ticks, settimeFlags, value, interval} = parseTimerfd(text);
	const absolute = (settimeFlags & TFD_TIMER_ABSTIME) !== 0 && value > 0n;
	return {
		kind: constants.KIND.TIMERFD,
		row: append(context, 'timerfd', {
			ticks,
			value_ns: value,
			interval_ns: interval,
			deadline_ns: absolute ? now(clockid, description) + value : 0n,
			clockid,
			settime_flags: settimeFlags,
		}),
	};
}

/** The clock as the target sees it: in a time namespace of its own monotonic and boot time are shifted. */
function now(clockid: number, {holders}: Description): bigint {
	if (clockid === CLOCK_REALTIME || clockid === CLOCK_REALTIME_ALARM) {
		return clockNow(CLOCK.REALTIME);
	}

	const offsets = (pid: number | string) => parseTimeOffsets(tryReadProcText(`/proc/${pid}/timens_offsets`) ?? '');
	const theirs = offsets(holders[0]?.task.pid ?? 'self');
	const ours = offsets('self');
	return clockid === CLOCK_MONOTONIC
		? clockNow(CLOCK.MONOTONIC) + theirs.monotonic - ours.monotonic
		: clockNow(CLOCK.BOOTTIME) + theirs.boottime - ours.boottime;
}
