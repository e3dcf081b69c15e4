import type {CaptureContext} from '../context.js';
import {hangup} from './external.js';
import {type Carried, type Description, where} from './types.js';

/** Kinds whose state lives in the kernel where no program can read it or put it back. */
const known: readonly (readonly [start: string, kind: string, told: string, hint: string])[] = [
	[
		'anon_inode:[io_uring]',
		'io_uring',
		'an io_uring',
		'Start the program without io_uring (for node: UV_USE_IO_URING=0).',
	],
	['anon_inode:[perf_event]', 'perf', 'a perf event', 'Freeze it without its profiler.'],
	['anon_inode:bpf', 'bpf', 'a BPF object', 'Programs and maps must be loaded anew.'],
	['anon_inode:[fanotify]', 'fanotify', 'a fanotify group', 'Freeze it before it watches file systems.'],
	['anon_inode:[userfaultfd]', 'userfaultfd', 'a userfaultfd', 'Freeze it when the registration has ended.'],
	['anon_inode:kvm', 'kvm', 'a virtual machine', 'Freeze the guest with its own means.'],
	[
		'anon_inode:seccomp notify',
		'seccomp',
		'a seccomp listener',
		'Its filtered processes cannot be told apart from here.',
	],
	['/dmabuf:', 'dmabuf', 'a buffer of a device', 'Freeze it before it opens the device.'],
	['net:[', 'namespace', 'a namespace', 'Close it before the freeze.'],
	['mnt:[', 'namespace', 'a namespace', 'Close it before the freeze.'],
];

export function captureUnsupported(context: CaptureContext, description: Description): Carried {
	const {link} = description;
	const [, kind, told, hint] = known.find(([start]) => link.startsWith(start)) ?? [
		'',
		kindFromLink(link),
		link,
		'This kind is not known to frore.',
	];
	context.refuse({
		...where(description),
		kind,
		text: `${told} (${link}): its state lives in the kernel and cannot be carried`,
		hint,
	});
	// Where the loss is accepted, something that reads as ended stands at the number.
	return hangup(context, description, {kind, told, byDefault: 'refuse'});
}

/** "anon_inode:[fscontext]" -> "fscontext" */
export const kindFromLink = (link: string): string =>
	/([\w-]+)\]?$/.exec(link.replace(/:\[\d+\]$/, ''))?.[1] ?? 'descriptor';
