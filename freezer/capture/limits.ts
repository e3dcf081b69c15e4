import type {RowOf} from '../../builder/format/schema.js';
import {readProcText} from '../sys/procfs.js';
import type {Pid} from '../sys/types.js';
import {parseLimits} from './parse/limits.js';

export const captureLimits = (task: number, pid: Pid): RowOf<'rlimit'>[] =>
	parseLimits(readProcText(`/proc/${pid}/limits`)).map((limit) => ({...limit, task}));
