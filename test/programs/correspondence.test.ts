/** Mail and chat on a terminal: much state, and a connection that is lost. */
import {chmodSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Terminal} from '../helpers/terminal.js';
import {freezeInTerminal, thawInTerminal, withTool} from '../helpers/tools.js';
import {IrcServer} from './irc-server.js';
import {eventually} from './reborn.js';

const frozen = !process.env.FRORE_UNDISTURBED;

withTool('irssi', 'irssi keeps its scrollback and connects again by itself', async (t, stage) => {
	const server = await IrcServer.open();
	t.teardown(() => server.close());
	const config = join(stage.dir, 'irssi.config');
	writeFileSync(
		config,
		`servers = ({address = "127.0.0.1"; chatnet = "test"; port = "${server.port}"; use_tls = "no"; autoconnect = "yes";});
chatnets = {test = {type = "IRC";};};
channels = ({name = "#frore"; chatnet = "test"; autojoin = "yes";});
settings = {core = {server_reconnect_time = "1s"; real_name = "t"; user_name = "t"; nick = "tester";};
"irc/core" = {cmd_queue_speed = "50msec";};};
`,
	);
	chmodSync(config, 0o666);
	const terminal = await Terminal.open(stage);
	await terminal.enter(`irssi --home=${stage.dir}/irssi --config=${config}`);
	await terminal.until(/Act: 2/, 'a window for the channel');
	await terminal.press('M-2');
	await terminal.until(/has joined #frore/);
	for (let i = 1; i <= 60; i++) server.say('#frore', `message ${i} of many`);
	await terminal.until(/message 60 of many/);
	await terminal.enter('said before');
	await eventually(
		async () => server.heard,
		(heard) => heard.includes('#frore said before'),
	);
	await terminal.type('half a li');
	await terminal.until(/half a li/);

	const file = await freezeInTerminal(stage, terminal, 'irssi');
	if (frozen) {
		await eventually(
			async () => server.connected,
			(connected) => connected === 0,
			'end of the old connection',
		);
	}
	await thawInTerminal(terminal, file);
	await terminal.until(/half a li/, 'its screen with the line that was being typed');
	if (frozen) {
		await eventually(
			async () => server.registered,
			(registered) => registered === 2,
			'second connection',
			40_000,
		);
		await terminal.until(/message 60 of many[\s\S]*has joined #frore/, 'the channel again');
	}
	await terminal.enter('ne');
	await eventually(
		async () => server.heard,
		(heard) => heard.includes('#frore half a line'),
		'the line typed before and after',
	);
	server.say('#frore', 'are you back?');
	await terminal.until(/are you back\?/);
	for (let pages = 0; pages < 6; pages++) await terminal.press('PageUp');
	await terminal.until(/message 1 of many/, 'the scrollback');
	await terminal.enter('/quit');
	await terminal.until(/ready\$ *$/m);
	t.is(await terminal.exitCode(), 0);
});

const MAILS = 30_000;

function mail(i: number): string {
	const at = new Date(Date.UTC(2020, 0, 1) + i * 60_000);
	const date = `${at.toUTCString().slice(0, -4)} +0000`;
	const from = at.toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $5 $4');
	return `From sender${i % 50}@test ${from}
From: Sender ${i % 50} <sender${i % 50}@test>
To: me@test
Subject: Subject number ${i}
Date: ${date}
Message-ID: <${i}@test>
Status: RO

The body of mail ${i}.

`;
}

withTool('mutt', `mutt comes back with a mailbox of ${MAILS} mails and writes its changes`, async (t, stage) => {
	const mbox = join(stage.dir, 'mbox');
	const rc = join(stage.dir, 'muttrc');
	writeFileSync(mbox, Array.from({length: MAILS}, (_, i) => mail(i + 1)).join(''));
	writeFileSync(
		rc,
		`set sort=mailbox-order\nset beep=no\nset move=no\nset delete=yes\nset folder=${stage.dir}\nset spoolfile=${mbox}\n`,
	);
	for (const file of [mbox, rc]) chmodSync(file, 0o666);
	const terminal = await Terminal.open(stage);
	await terminal.enter(`mutt -n -F ${rc} -f ${mbox}`);
	await terminal.until(/Msgs:30000/, 'the index');
	await terminal.enter('15000');
	await terminal.until(/Subject number 15000/);
	await terminal.type('d');
	await terminal.until(/Del:1/, 'a deleted mail');
	const before = await terminal.settled();

	const file = await freezeInTerminal(stage, terminal, 'mutt');
	await thawInTerminal(terminal, file);
	await terminal.until(/Msgs:30000/, 'the index of the resumed program');
	t.is(await terminal.settled(), before, 'the screen is equal after the resume');
	await terminal.enter('29999');
	await terminal.until(/Subject number 29999/);
	await terminal.press('Enter');
	await terminal.until(/The body of mail 29999\./, 'a mail it reads from the file');
	await terminal.type('i');
	await terminal.until(/Msgs:30000/);
	await terminal.type('q');
	await terminal.until(/ready\$ *$/m);
	t.is(await terminal.exitCode(), 0);
	const left = readFileSync(mbox, 'latin1');
	t.is(left.split(/^From /m).length - 1, MAILS - 1, 'one mail is deleted');
	t.notRegex(left, /^Subject: Subject number 15000$/m);
	t.regex(left, /^Subject: Subject number 30000$/m);
});
