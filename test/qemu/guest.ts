/** A virtual machine with another kernel and another processor, nothing in it but busybox and what is put there. */
import {execFileSync, spawn} from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	realpathSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {homedir, tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {toolPath} from '../helpers/tools.js';

const BUSYBOX = '/bin/busybox';
const APPLETS = [
	'sh',
	'mount',
	'cat',
	'echo',
	'sleep',
	'kill',
	'su',
	'chmod',
	'chown',
	'ls',
	'grep',
	'head',
	'tail',
	'sed',
	'ps',
	'id',
	'uname',
	'mkdir',
	'setsid',
	'timeout',
	'rm',
	'true',
	'dmesg',
	'seq',
	'mktemp',
	'tr',
];
/** Milliseconds for everything in it. */
const LIMIT = 100_000;

function kernel(): string | undefined {
	const cache =
		process.env.FRORE_TEST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'frore-test');
	const name = existsSync(cache) ? readdirSync(cache).find((file) => file.startsWith('vmlinuz-6.1')) : undefined;
	return name && join(cache, name);
}

/** Why there can be no virtual machine here; undefined when there can. */
export function noGuest(): string | undefined {
	if (!toolPath('qemu-system-x86_64')) return 'qemu-system-x86_64 is not installed';
	if (!toolPath('cpio')) return 'cpio is not installed';
	if (!existsSync(BUSYBOX)) return `${BUSYBOX} is not installed`;
	if (!kernel()) return 'there is no kernel: scripts/test-kernel.sh could not fetch one';
	return undefined;
}

export class Guest {
	readonly root = mkdtempSync(join(tmpdir(), 'frore-guest-'));
	readonly #cases: string[] = [];

	constructor() {
		for (const folder of ['bin', 'proc', 'sys', 'dev', 'tmp', 'etc', 'run', 'usr']) mkdirSync(join(this.root, folder));
		chmodSync(this.root, 0o755);
		chmodSync(join(this.root, 'tmp'), 0o1777);
		copyFileSync(BUSYBOX, join(this.root, 'bin/busybox'));
		for (const name of APPLETS) execFileSync('ln', ['-s', 'busybox', join(this.root, 'bin', name)]);
		writeFileSync(join(this.root, 'etc/passwd'), 'root::0:0::/:/bin/sh\nuser::65534:65534::/tmp:/bin/sh\n');
		writeFileSync(join(this.root, 'etc/group'), 'root:x:0:\nuser:x:65534:\n');
	}

	/** Puts a file at the same or another place. */
	put(from: string, to = from, mode = 0o755): void {
		const place = join(this.root, to);
		mkdirSync(dirname(place), {recursive: true});
		copyFileSync(from, place);
		chmodSync(place, mode);
	}

	putFolder(from: string, to: string): void {
		mkdirSync(dirname(join(this.root, to)), {recursive: true});
		cpSync(from, join(this.root, to), {recursive: true, dereference: true});
	}

	/** A program with the libraries it is linked with. */
	putProgram(from: string, to = from): void {
		this.put(realpathSync(from), to);
		for (const [, library] of execFileSync('ldd', [from], {encoding: 'utf8'}).matchAll(/(\/\S+) \(0x/g)) {
			this.put(realpathSync(library!), library!);
		}
	}

	/** A script of commands whose output and exit code come back under the name; run one after the other. */
	add(name: string, user: 'root' | 'user', script: string): void {
		const file = `run/${this.#cases.length}`;
		writeFileSync(join(this.root, file), `cd $(mktemp -d)\n${script}\n`);
		this.#cases.push(
			`echo; echo "=== ${name}"; timeout 40 su ${user} -c 'sh /${file}' 2>&1 </dev/null; echo "=== code $?"`,
		);
	}

	/** Boots, runs everything, and gives what each script printed. */
	async boot(): Promise<Map<string, {code: number; output: string}>> {
		const init = [
			'#!/bin/sh',
			'mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev',
			'mkdir -p /dev/pts /dev/shm; mount -t devpts pts /dev/pts; mount -t tmpfs shm /dev/shm; chmod 1777 /dev/shm',
			'export PATH=/bin:/usr/bin HOME=/tmp',
			...this.#cases,
			'echo o >/proc/sysrq-trigger; sleep 5',
			'',
		];
		writeFileSync(join(this.root, 'init'), init.join('\n'), {mode: 0o755});
		const initrd = `${this.root}.cpio`;
		try {
			execFileSync('sh', ['-c', `cd "$0" && find . | cpio -o -H newc --quiet >"$1"`, this.root, initrd]);
			rmSync(this.root, {recursive: true});
			return parsed(await this.#run(initrd));
		} finally {
			rmSync(initrd, {force: true});
		}
	}

	#run(initrd: string): Promise<string> {
		const machine = [
			'-accel',
			'tcg',
			'-cpu',
			'max',
			'-m',
			'1536',
			'-smp',
			'2',
			'-nodefaults',
			'-nographic',
			'-no-reboot',
		];
		const args = [...machine, '-serial', 'stdio', '-kernel', kernel()!, '-initrd', initrd];
		const append = 'console=ttyS0 quiet panic=-1 rdinit=/init';
		return new Promise((resolve, reject) => {
			const child = spawn(toolPath('qemu-system-x86_64')!, [...args, '-append', append], {
				stdio: ['ignore', 'pipe', 'pipe'],
				timeout: LIMIT,
				killSignal: 'SIGKILL',
			});
			let output = '';
			for (const stream of [child.stdout, child.stderr]) {
				stream.setEncoding('latin1').on('data', (chunk: string) => {
					output += chunk;
				});
			}
			child.on('error', reject);
			child.on('close', () => resolve(output.replaceAll('\r', '')));
		});
	}
}

function parsed(console: string): Map<string, {code: number; output: string}> {
	const found = new Map<string, {code: number; output: string}>();
	for (const [, name, output, code] of console.matchAll(/^=== (.*)\n([\s\S]*?)=== code (\d+)$/gm)) {
		found.set(name!, {code: Number(code), output: output!});
	}
	if (found.size === 0) throw new Error(`the virtual machine has shown nothing:\n${console}`);
	return found;
}
