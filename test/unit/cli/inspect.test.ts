import test from 'ava';
import {createPakoDecoder} from '../../../builder/portable-codec.js';
import {renderBody} from '../../../freezer/cli/inspect/page/render.js';
import {makeReport} from '../../../freezer/cli/inspect/report.js';
import {renderText} from '../../../freezer/cli/inspect/text.js';
import {exampleArtefact} from './example.js';

const report = async () => makeReport(await exampleArtefact(), createPakoDecoder());

test('the overview is a tree of processes, with the warnings below', async (t) => {
	const lines = renderText(await report(), []).split('\n');
	t.is(lines[0], 'job.frore: snapshot format 1, x86_64, taken 2026-11-20 23:59 UTC on Linux 6.18.44');
	t.is(lines[1], 'PID     THREADS  MEMORY   FILES  COMMAND');
	t.is(lines[2], "4121    2        8.0 KiB  6      server --name 'two words'");
	t.is(lines[3], '└ 4130  1        8.0 KiB  1      worker (stopped)');
	t.regex(lines[5]!, /^warning: process 4121: fd 19: a TCP connection/);
});

test('--fds tells each descriptor and who shares it', async (t) => {
	const text = renderText(await report(), ['fds']);
	t.regex(text, /standard input of whoever runs the artefact \(was the terminal\) +read and write +fd 1$/m);
	t.regex(text, /file \/var\/log\/server\.log, at its end, 123 bytes +write only, append, close on exec +fd 4130:9$/m);
	t.regex(text, /TCP socket, listening at 127\.0\.0\.1:8080/);
	t.regex(text, /epoll, watching fd 4/);
	t.regex(text, /character device \/dev\/zero +read only$/m);
});

test('--threads tells which system call a thread goes on with', async (t) => {
	const text = renderText(await report(), ['threads']);
	t.regex(text, /4121 +server +in poll +0x400000/);
	t.regex(text, /4122 +pool +runs +0x400010/);
	t.regex(text, /4130 +worker +in nanosleep .* TERM +other; 2 CPUs$/m);
});

test('--maps, --signals and --env', async (t) => {
	const text = renderText(await report(), ['maps', 'signals', 'env']);
	t.regex(text, /000000400000-000000401000 +r-xp +4\.0 KiB +- +4\.0 KiB +\/usr\/bin\/server/);
	t.regex(text, /rw-p +4\.0 KiB +4\.0 KiB +- +\[stack\] +growsdown/);
	t.regex(text, /handled +SIGTERM at 0x401000\nignored +SIGPIPE/);
	t.regex(text, /2 variables\nHOME=\/root\nLANG=C\.UTF-8/);
});

test('the report survives JSON unchanged', async (t) => {
	const made = await report();
	t.deepEqual(JSON.parse(JSON.stringify(made)), made);
	t.deepEqual(made.processes[0]!.limits, {'open-files': {soft: 1024, hard: 'unlimited'}});
	t.deepEqual(made.cpuNeeds, ['avx2']);
});

test('the page shows every mapping, thread and descriptor, and escapes what it shows', async (t) => {
	const made = await report();
	const page = renderBody({...made, file: '<script>alert(1)</script>'});
	t.false(page.includes('<script>'));
	t.is(page.match(/<rect class="box/g)?.length, 6);
	t.is(page.match(/<div class="registers">/g)?.length, 3);
	t.true(page.includes('/var/log/server.log'));
	t.true(page.includes('a TCP connection to 10.0.0.4:5432'));
});
