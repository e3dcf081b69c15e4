/** What the machine itself takes for the same bytes: no tool can be much faster. */
import {rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type Beater, cpus, type Scene} from '../scene.js';

/** As many as a bare copy makes use of. */
const threads = String(Math.min(cpus, 8));

/** Milliseconds: process_vm_readv and write of a stopped target's memory to a file, on all CPUs. */
export async function bareCopy(scene: Scene, target: Beater, mebibytes: number, file: string): Promise<number> {
	target.signal('SIGSTOP');
	try {
		const [ms] = await scene.timed([scene.program('copy'), String(target.pid), String(mebibytes), file, threads]);
		return ms!;
	} finally {
		target.signal('SIGCONT');
	}
}

/** Milliseconds: memory to memory, on all CPUs. */
export async function memcpy(scene: Scene, mebibytes: number): Promise<number> {
	const [ms] = await scene.timed([scene.program('memcpy'), String(mebibytes), String(cpus)]);
	return ms!;
}

/** Milliseconds: `cp` of a file of that size on the tmpfs. */
export async function cp(scene: Scene, file: string): Promise<number> {
	const copy = join(scene.room, 'copy');
	const start = process.hrtime.bigint();
	try {
		await scene.run(['cp', file, copy]);
		return Number(process.hrtime.bigint() - start) / 1e6;
	} finally {
		rmSync(copy, {force: true});
	}
}

/** Milliseconds: the file read into fresh memory, on all CPUs; into huge pages or small ones, whichever is faster here and now. */
export async function bareRead(scene: Scene, file: string): Promise<number> {
	const read = [scene.program('read'), file, String(cpus)];
	return Math.min((await scene.timed([...read, 'huge']))[0]!, (await scene.timed(read))[0]!);
}

/** A file of that size which is no hole. */
export function fileOf(scene: Scene, mebibytes: number): string {
	const file = join(scene.room, `file-${mebibytes}`);
	const piece = Buffer.alloc(1 << 20, 0xa5);
	for (let i = 0; i < mebibytes; i++) writeFileSync(file, piece, {flag: 'a'});
	return file;
}
