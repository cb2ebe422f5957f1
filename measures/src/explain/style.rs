//! The style of an explanation as HTML. Outcomes differ in colour, in line and in symbol.

pub const STYLE: &str = "
:root{color-scheme:light;--t:#dff3e1;--tb:#1a7f37;--f:#fde3e1;--fb:#b42318;--u:#fff1cf;--ub:#8a5a00;--n:#eceff2;--nb:#57606a}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:#1f2328;background:#fff;max-width:1100px;margin:0 auto;padding:24px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 8px;border-bottom:1px solid #d0d7de;padding-bottom:4px}h3{font-size:15px;margin:0}
.sub{color:#57606a;margin:0 0 16px}.lib{color:#57606a;font-weight:400;font-size:13px}
table{border-collapse:collapse;margin:8px 0;font-size:14px}th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #e4e8ec;vertical-align:top}td.num{text-align:right}
section.def{border:1px solid #d0d7de;border-radius:6px;margin:12px 0;padding:10px 14px;overflow-x:auto}
pre{font:13px/1.75 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;margin:8px 0 0;white-space:pre-wrap;overflow-wrap:anywhere}
.chip{display:inline-block;border-radius:10px;padding:0 9px;font-size:13px;border:1px solid;white-space:nowrap}
.t{background:var(--t)}.f{background:var(--f)}.u{background:var(--u)}.n{background:var(--n);color:#57606a}
.chip.t{border-color:var(--tb);color:#116329}.chip.f{border-color:var(--fb);color:#8c1d13}.chip.u{border-color:var(--ub);color:#6b4600}.chip.n{border-color:var(--nb);color:#424a53}
pre .t{border-bottom:2px solid var(--tb)}pre .f{border-bottom:3px double var(--fb)}pre .u{border-bottom:2px dotted var(--ub)}pre .n{border-bottom:1px dashed var(--nb)}
pre span{border-radius:2px}pre i{font-style:normal;font-weight:700;font-size:11px;margin-right:1px;user-select:none}
pre .t>i{color:var(--tb)}pre .f>i{color:var(--fb)}pre .u>i{color:var(--ub)}
ul.tree,ul.tree ul{list-style:none;margin:0;padding-left:20px;border-left:1px solid #e4e8ec}ul.tree{padding-left:0;border-left:0}
ul.tree li{margin:3px 0}.facts{font-size:13px;color:#424a53;margin:2px 0 2px 24px;padding:0}.facts li{list-style:disc;margin-left:16px}
summary{cursor:pointer}.lbl{font-size:14px}.dim{color:#57606a;font-size:13px}
.legend span{margin-right:14px}
@media print{body{max-width:none;padding:0}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
";
