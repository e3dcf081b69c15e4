/** Look of the page of `frore inspect --html`. */
export const STYLE = `
:root{color-scheme:light dark;--fg:#1c2530;--dim:#5b6875;--bg:#fbfcfd;--line:#d8dee5;--code:#3b76c4;--constant:#8a97a6;
--data:#c77d1a;--heap:#2f9e57;--anonymous:#3aa6a0;--stack:#b3476b;--shared:#7a56c2;--guard:#c9ced4}
@media(prefers-color-scheme:dark){:root{--fg:#e3e8ee;--dim:#94a1af;--bg:#14181d;--line:#323b45;--guard:#4a525c}}
body{font:14px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0}
main{max-width:1080px;margin:0 auto;padding:24px}
h1{font-size:22px;margin:0 0 4px}h2{font-size:17px;margin:28px 0 6px;border-top:1px solid var(--line);padding-top:16px;
overflow-wrap:anywhere}h3{font-size:14px;margin:18px 0 6px}
header p{color:var(--dim);margin:0 0 8px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:6px 0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;font-size:13px}th{text-align:left;font-weight:500;color:var(--dim)}
td,th{padding:2px 14px 2px 0;vertical-align:top;border-bottom:1px solid var(--line)}
.scroll{overflow-x:auto}td,pre,.registers,summary b{font-family:ui-monospace,monospace;font-size:12.5px}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
details{margin:4px 0}summary{cursor:pointer}
.registers{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:1px 16px;margin:6px 0 6px 16px}
.registers b{color:var(--dim);font-weight:400;display:inline-block;width:66px}
.warnings{border-left:4px solid #d08a00;padding-left:14px;margin-top:14px}.warnings h2{border:0;margin:0;padding:0}
.good{color:#2f9e57}a{color:inherit}
.map{width:100%;height:auto;display:block}.map text{font-size:10px;fill:var(--dim)}
.map .box{fill-opacity:.12;stroke-width:1}.map .fill{fill-opacity:.95;stroke:none}.map .fill.file{fill-opacity:.45}
.map g:hover .box{fill-opacity:.4}.gap{stroke:var(--line);stroke-width:2;stroke-dasharray:2 3}
.legend{color:var(--dim);font-size:12px;display:flex;flex-wrap:wrap;gap:2px 14px;margin:4px 0}
.legend i{display:inline-block;width:10px;height:10px;margin-right:5px}
${'code constant data heap anonymous stack shared guard'
	.split(' ')
	.map((name) => `.map .${name}{fill:var(--${name});stroke:var(--${name})}.legend .${name}{background:var(--${name})}`)
	.join('')}
.map .fill{stroke:none}
`;
