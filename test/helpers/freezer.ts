/** Freezes that go on while a test does other things. */
import {type ChildProcess, spawn} from 'node:child_process';
import {readFileSync, readlinkSync} from 'node:fs';
import {commandLine} from './product.js';
import type {Stage} from './stage.js';

/** A freeze that goes on while the test does other things. */
export class Freezer {
	readonly child: ChildProcess;
	readonly ended: Promise<{code: number | null; signal: string | null}>;
	stderr = '';

	constructor(stage: Stage, pid: number, file: string, ...args: string[]) {
		const [program, ...rest] = [...stage.who.prefix, ...commandLine(), 'freeze', String(pid), '-o', file, ...args];
		this.child = spawn(program!, rest, {cwd: stage.dir, env: stage.env, stdio: ['ignore', 'ignore', 'pipe']});
		this.child.stderr!.on('data', (chunk) => {
			this.stderr += chunk;
		});
		this.ended = new Promise((resolve) => {
			this.child.on('close', (code, signal) => resolve({code, signal}));
		});
	}
}

export const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function traced(pid: number): boolean {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	if (/^State:\tZ/m.test(status)) throw new Error(`process ${pid} has died`);
	return !/^TracerPid:\t0$/m.test(status);
}

export async function until(condition: () => boolean, what: string): Promise<void> {
	const end = Date.now() + 15_000;
	while (!condition()) {
		if (Date.now() > end) throw new Error(`${what} did not happen`);
		await after(0.5);
	}
}

const exeOf = (pid: number): string => {
	try {
		return readlinkSync(`/proc/${pid}/exe`);
	} catch {
		return '';
	}
};

/** Every process of the stage that runs the same program as `pid`. */
export function running(stage: Stage, pid: number): number[] {
	const exe = exeOf(pid);
	return stage.processes().filter((other) => exeOf(other) === exe);
}
