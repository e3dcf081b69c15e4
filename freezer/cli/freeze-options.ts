import {EXIT, FroreError} from '../../builder/errors.js';
import type {CaptureOptions, ExternalPolicy} from '../capture/context.js';
import type {Ending} from '../capture/stop.js';
import {parseCodec} from '../sys/codec.js';
import type {Pid} from '../sys/types.js';

/** What commander makes of the command line. */
export interface FreezeFlags {
	readonly dest?: string;
	readonly output?: string;
	readonly halt?: boolean;
	readonly stop?: boolean;
	readonly children: boolean;
	readonly live?: boolean;
	readonly compress: string;
	readonly encrypt?: string;
	readonly passphrase?: boolean;
	readonly passphraseFd?: string;
	readonly external?: string;
	readonly fd: readonly string[];
	readonly allow: readonly string[];
	readonly files: string;
	readonly stopTimeout: string;
	readonly maxPause: string;
	readonly dialTimeout?: string;
	readonly writeTimeout?: string;
	readonly json?: boolean;
	readonly quiet?: boolean;
	readonly verbose?: boolean;
	readonly debug?: boolean;
}

const usage = (line: string, hint?: string) =>
	new FroreError('usage', line, EXIT.USAGE, hint === undefined ? {} : {hint});

const notYet = (what: string, hint: string) => usage(`${what} is not implemented in this version`, hint);

const policies: readonly string[] = ['hangup', 'refuse', 'null', 'inherit'];

export function parseFreezeFlags(pidText: string, flags: FreezeFlags) {
	if (!/^[1-9]\d*$/.test(pidText)) {
		throw usage(`"${pidText}" is not a process id`, 'Give a number, as `ps -e` shows it.');
	}

	refuseUnimplemented(flags);
	if (flags.halt && flags.stop) {
		throw usage('--halt and --stop exclude each other', 'Give one of them.');
	}

	if (flags.live && (flags.halt || flags.stop)) {
		throw usage(
			`--live and --${flags.halt ? 'halt' : 'stop'} exclude each other: what runs on after the snapshot would be lost`,
			'Leave --live out.',
		);
	}

	if (flags.dest !== undefined && flags.output !== undefined) {
		throw usage('the destination is given twice', 'Give -o once.');
	}

	const ending: Ending = flags.halt ? 'halt' : flags.stop ? 'stop' : 'continue';
	return {
		pid: Number(pidText) as Pid,
		destination: flags.dest ?? flags.output,
		ending,
		children: flags.children,
		live: flags.live ?? false,
		codec: parseCodec(flags.compress),
		stopTimeout: seconds('--stop-timeout', flags.stopTimeout),
		maxPause: seconds('--max-pause', flags.maxPause),
		capture: captureOptions(flags),
		quiet: flags.quiet ?? false,
		json: flags.json ?? false,
		verbose: flags.verbose ?? false,
		debug: flags.debug ?? false,
	};
}

function refuseUnimplemented(flags: FreezeFlags): void {
	const destination = flags.dest ?? flags.output ?? '';
	if (/^(tcp|udp|unix):/.test(destination)) {
		throw notYet(`writing to ${destination}`, 'Write to a file, or to - and pipe it on.');
	}

	if (flags.encrypt !== undefined || flags.passphrase || flags.passphraseFd !== undefined) {
		throw notYet('encryption', 'Encrypt the file with another tool.');
	}
}

function captureOptions(flags: FreezeFlags): CaptureOptions {
	if (flags.external !== undefined && !policies.includes(flags.external)) {
		throw usage(`--external ${flags.external} is not known`, `Valid values are ${policies.join(', ')}.`);
	}

	if (flags.files !== 'reference' && flags.files !== 'embed') {
		throw usage(`--files ${flags.files} is not known`, 'Valid values are reference and embed.');
	}

	return {
		external: flags.external as ExternalPolicy | undefined,
		fdPolicy: new Map(flags.fd.map(parseFdPolicy)),
		allow: new Set(flags.allow.flatMap((list) => list.split(',')).filter(Boolean)),
		files: flags.files,
	};
}

function parseFdPolicy(text: string): [number, string] {
	const match = /^(\d+)=(.+)$/s.exec(text);
	if (!match?.[1] || !match[2]) {
		throw usage(`--fd ${text} is not of the form N=WHAT`, 'WHAT is null, hangup, inherit or a path.');
	}

	return [Number(match[1]), match[2]];
}

function seconds(name: string, text: string): number {
	const value = Number(text);
	if (!(value > 0) || !Number.isFinite(value)) {
		throw usage(`${name} ${text} is not a number of seconds`);
	}

	return value;
}
