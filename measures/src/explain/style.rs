//! The style of an explanation as HTML. Outcomes differ in colour, in line and in symbol, so that it can
//! be read in black and white; a dark screen has dark colours; a narrow one has tables as blocks.

pub const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1f2328;--paper:#fff;--soft:#57606a;--rule:#d0d7de;--t:#dff3e1;--tb:#1a7f37;--tx:#0f4f22;--f:#fde3e1;--fb:#b42318;--fx:#7a170e;--u:#fff1cf;--ub:#8a5a00;--ux:#5c3d00;--n:#eceff2;--nb:#57606a;--nx:#32383f}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--soft:#9aa4af;--rule:#3d444d;--t:#12311c;--tb:#3fb950;--tx:#aff5b4;--f:#3f1512;--fb:#f85149;--fx:#ffc1ba;--u:#3a2b05;--ub:#d29922;--ux:#f2cc60;--n:#21262d;--nb:#9aa4af;--nx:#c9d1d9}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:var(--ink);background:var(--paper);max-width:1100px;margin:0 auto;padding:24px;overflow-wrap:anywhere}
h1{font-size:24px;line-height:1.25;margin:0 0 4px}h2{font-size:19px;margin:32px 0 8px;border-bottom:1px solid var(--rule);padding-bottom:4px}h3{font-size:15px;margin:0}h3.pop{margin:16px 0 4px}
h3.pop::first-letter{text-transform:uppercase}
.sub{color:var(--soft);margin:0 0 16px}.lib{color:var(--soft);font-weight:400;font-size:13px}
.verdict{font-size:17px;border:1px solid;border-left-width:8px;border-radius:6px;padding:10px 14px;margin:0 0 12px}.sign{font-weight:700}
.verdict.t{border-color:var(--tb)}.verdict.f{border-color:var(--fb);border-left-style:double}.verdict.u{border-color:var(--ub);border-left-style:dotted}.verdict.n{border-color:var(--nb);border-left-style:dashed;color:inherit}
table{border-collapse:collapse;margin:8px 0;font-size:14px;width:100%}th,td{text-align:left;padding:5px 12px 5px 0;border-bottom:1px solid var(--rule);vertical-align:top;font-weight:400}thead th{font-weight:600;white-space:nowrap}
table.pops th:first-child{width:26%}table.pops th:nth-child(2){width:9%}tbody th::first-letter{text-transform:uppercase}td.num{font-variant-numeric:tabular-nums}
section.def{border:1px solid var(--rule);border-radius:6px;margin:12px 0;padding:10px 14px}
pre{font:13px/1.75 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;margin:8px 0 0;white-space:pre-wrap;overflow-wrap:anywhere}
.chip{display:inline-block;border-radius:10px;padding:0 9px;font-size:13px;border:1px solid}
.t{background:var(--t)}.f{background:var(--f)}.u{background:var(--u)}.n{background:var(--n)}
.chip.t{border-color:var(--tb);color:var(--tx)}.chip.f{border:3px double var(--fb);color:var(--fx)}.chip.u{border:1px dotted var(--ub);color:var(--ux)}.chip.n{border:1px dashed var(--nb);color:var(--nx)}
pre .t{border-bottom:2px solid var(--tb)}pre .f{border-bottom:3px double var(--fb)}pre .u{border-bottom:2px dotted var(--ub)}pre .n{border-bottom:1px dashed var(--nb)}
pre span{border-radius:2px}pre i{font-style:normal;font-weight:700;font-size:11px;margin-right:1px;user-select:none}
pre .t>i{color:var(--tb)}pre .f>i{color:var(--fb)}pre .u>i{color:var(--ub)}
ul.tree,ul.tree ul{list-style:none;margin:0;padding-left:20px;border-left:1px solid var(--rule)}ul.tree{padding-left:0;border-left:0}
ul.tree li{margin:3px 0}ul.tree .facts,ul.facts{font-size:13px;color:var(--soft);margin:2px 0 2px 20px;padding:0;border-left:0}.facts li{list-style:disc;margin-left:12px}
summary{cursor:pointer}.lbl{font-size:14px}.dim{color:var(--soft);font-size:13px;font-weight:400}.key{font-size:13px;white-space:nowrap}
.legend span{margin:2px 6px 2px 0}
@media(max-width:640px){body{padding:12px}ul.tree ul{padding-left:9px}ul.tree .facts,ul.facts{margin-left:4px}.key{white-space:normal}table,tbody,tr,th,td{display:block}thead{display:none}th,td,table.pops th:first-child{border:0;padding:1px 0;width:auto}tr{border-bottom:1px solid var(--rule);padding:6px 0}tbody th{font-weight:600}table.pops td.num::before{content:'Counts: '}}
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--soft:#333;--rule:#999;--t:#fff;--tb:#000;--tx:#000;--f:#fff;--fb:#000;--fx:#000;--u:#fff;--ub:#000;--ux:#000;--n:#fff;--nb:#000;--nx:#000}body{max-width:none;padding:0;font-size:11pt}details::details-content{content-visibility:visible;display:block;block-size:auto}h2,h3,summary{break-after:avoid}tr,.verdict,.facts li{break-inside:avoid}}
";
