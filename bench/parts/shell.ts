import {statSync} from 'node:fs';
import type {Context, Part} from './part.js';

async function run({scene, report}: Context): Promise<void> {
	const {stage, who} = scene;
	const started = await stage.start(['sh', '-c', 'tail -f /dev/null | bash --norc -i']);
	const bash = await stage.run(['sh', '-c', `sleep 0.5; pgrep -P ${started.pid} -x bash`]);
	const {file} = await stage.freeze(Number(bash.stdout), {args: ['--quiet']});
	report.row('shell.size', statSync(file).size / 1e6, {who, rounds: 1});
}

export const shell: Part = {name: 'shell', about: "the size of an idle shell's artefact", everybody: true, run};
