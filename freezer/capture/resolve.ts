import {readdirSync} from 'node:fs';
import {tryReadLink, tryReadProcText} from '../sys/procfs.js';
import {asPid, type Pid} from '../sys/types.js';
import {refusal} from './errors.js';

/** Launcher, relay and fake parent of an earlier resume hold a memfd of this name. */
const HELPER = '/memfd:frore-helper';

/** True for a process of the stub around a resumed tree. */
export function isHelper(pid: number): boolean {
	let names: string[];
	try {
		names = readdirSync(`/proc/${pid}/fd`);
	} catch {
		return false;
	}

	return names.some((name) => tryReadLink(`/proc/${pid}/fd/${name}`)?.toString('latin1').startsWith(HELPER));
}

export function childrenOf(pid: number): number[] {
	let tids: string[];
	try {
		tids = readdirSync(`/proc/${pid}/task`);
	} catch {
		return [];
	}

	return tids.flatMap((tid) =>
		(tryReadProcText(`/proc/${pid}/task/${tid}/children`) ?? '').split(' ').filter(Boolean).map(Number),
	);
}

/** The process a pid stands for: naming a helper means the resumed program below it. */
export function resolveTarget(pid: Pid): Pid {
	if (!isHelper(pid)) {
		return pid;
	}

	const roots: number[] = [];
	const waiting = [pid as number];
	for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
		for (const child of childrenOf(next)) {
			(isHelper(child) ? waiting : roots).push(child);
		}
	}

	const [root, ...others] = roots;
	if (root === undefined) {
		throw refusal('helper', `process ${pid} belongs to a resumed program that has ended`);
	}

	if (others.length > 0) {
		throw refusal(
			'helper',
			`process ${pid} supervises several processes (${roots.join(', ')})`,
			'Freeze one of them by its own pid.',
		);
	}

	return asPid(root);
}
