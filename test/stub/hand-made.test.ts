/** The stub by itself: what it runs, and what it refuses before anything runs. */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {plainEncoder} from '../../builder/codec.js';
import {constants} from '../../builder/format/schema.js';
import {createPakoEncoder} from '../../builder/portable-codec.js';
import {createNativeHasher} from '../../freezer/sys/native.js';
import {helloArtefact, helloSnapshot, row} from '../helpers/hand-made.js';

const PID = 30_217;
const dir = mkdtempSync(join(tmpdir(), 'frore-stub-'));
test.after.always(() => rmSync(dir, {recursive: true, force: true}));

const hasher = createNativeHasher();
const stubLength = readFileSync('templates/stub-x86_64.elf').length;
let files = 0;

function run(bytes: Uint8Array, ...args: string[]) {
	const file = join(dir, `${files++}.frore`);
	writeFileSync(file, bytes, {mode: 0o700});
	const {status, signal, stdout, stderr} = spawnSync(file, args, {encoding: 'utf8', timeout: 10_000});
	rmSync(file);
	return {status, signal, stdout, stderr};
}

const runs = test.macro({
	exec(t, codec: keyof typeof constants.CODEC) {
		const encoder = codec === 'NONE' ? plainEncoder : createPakoEncoder(constants.CODEC[codec]);
		const result = run(helloArtefact(hasher, helloSnapshot(PID), encoder));
		t.deepEqual(result, {status: PID & 127, signal: null, stdout: 'hello\n', stderr: ''});
	},
	title: (_, codec) => `a hand-made program with codec ${codec} runs under its old pid`,
});
test(runs, 'NONE');
test(runs, 'DEFLATE');
test(runs, 'GZIP');

const refuses = (t: import('ava').ExecutionContext, bytes: Uint8Array, why: RegExp | undefined, told: string) => {
	const {status, stdout, stderr} = run(bytes);
	t.is(status, 125, `${told}: ${stderr}`);
	t.is(stdout, '', told);
	t.regex(stderr, /^frore: [^\n]+\n$/, told);
	if (why) t.regex(stderr, why, told);
};

test('another format version is refused in words', (t) => {
	const bytes = helloArtefact(hasher, helloSnapshot(PID));
	bytes.writeUInt32LE(99, stubLength + 8);
	refuses(t, bytes, /version/, 'version 99');
});

test('another architecture is refused in words', (t) => {
	const bytes = helloArtefact(hasher, helloSnapshot(PID));
	bytes.writeUInt32LE(183, stubLength + 12);
	refuses(t, bytes, /architecture/, 'aarch64');
});

test('a processor that lacks what the program was bound to is refused by name', (t) => {
	const snapshot = helloSnapshot(PID);
	snapshot.cpu_need.push(row('cpu_need', {leaf: 0x4000_0000, reg: 2, bit: 7, name: 'madeup512'}));
	refuses(t, helloArtefact(hasher, snapshot), /madeup512/, 'madeup512');
});

test('tables that contradict each other are refused', (t) => {
	const broken: Record<string, (s: ReturnType<typeof helloSnapshot>) => void> = {
		'no registers': (s) => (s.thread[0]!.regs = new Uint8Array(8)),
		'pages outside every mapping': (s) => s.vma.pop(),
	};
	for (const [told, breakIt] of Object.entries(broken)) {
		const snapshot = helloSnapshot(PID);
		breakIt(snapshot);
		refuses(t, helloArtefact(hasher, snapshot), undefined, told);
	}
});
