/** A build in the middle: make, compilers, their children by vfork. */
import {existsSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {toolPath, withTool} from '../../helpers/tools.js';
import {eventually, reborn} from '../reborn.js';

const PARTS = 24;

const makefile = `OBJECTS = $(patsubst %.c,%.o,$(wildcard part*.c))
program: main.o $(OBJECTS)
	gcc -o $@ $^
	@echo built $(words $^) objects
part%.o: part%.c
	@sleep 0.05
	gcc -O1 -c -o $@ $<
`;

withTool('make', 'make -j4 in the middle of a build ends with the right program', async (t, stage) => {
	const numbers = Array.from({length: PARTS}, (_, i) => i);
	for (const i of numbers) {
		writeFileSync(
			join(stage.dir, `part${i}.c`),
			`#include <stdio.h>\n#include <stdlib.h>\nint part${i}(void) { return ${i} * ${i}; }\n`,
		);
	}
	const declared = numbers.map((i) => `int part${i}(void);`).join(' ');
	const sum = numbers.map((i) => `part${i}()`).join(' + ');
	writeFileSync(
		join(stage.dir, 'main.c'),
		`#include <stdio.h>\n${declared}\nint main(void) { printf("%d\\n", ${sum}); }\n`,
	);
	writeFileSync(join(stage.dir, 'Makefile'), makefile);
	const built = () => readdirSync(stage.dir).filter((name) => name.endsWith('.o')).length;
	const original = await stage.start([toolPath('make')!, '-j4', 'program']);
	await eventually(
		async () => built(),
		(count) => count >= 5,
		'some objects',
	);
	const copy = await reborn(t, stage, original);
	const again = built() < PARTS ? await reborn(t, stage, copy) : copy;
	t.is(await again.end(), 0, again.output);
	t.regex(again.output, new RegExp(`^built ${PARTS + 1} objects$`, 'm'));
	t.true(existsSync(join(stage.dir, 'program')));
	t.is((await stage.run(['./program'])).stdout, '4324\n');
});
