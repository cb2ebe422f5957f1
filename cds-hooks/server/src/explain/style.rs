//! How the page looks. Outcomes differ in colour, in line and in symbol, so that it can be read in black and
//! white; a dark screen has dark colours; on a narrow one nothing is wider than the screen.

pub(super) const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1f2328;--paper:#fff;--soft:#57606a;--rule:#d0d7de;--back:#f5f7fa;--t:#1a7f37;--f:#b42318;--u:#8a5a00;--n:#57606a}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--soft:#9aa4af;--rule:#3d444d;--back:#161b22;--t:#3fb950;--f:#f85149;--u:#d29922;--n:#9aa4af}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:0 auto;padding:24px;overflow-wrap:anywhere}
h1{font-size:22px;line-height:1.3;margin:0 0 4px}h2{font-size:18px;margin:28px 0 8px;border-bottom:1px solid var(--rule);padding-bottom:4px}
h3{font-size:16px;margin:0;display:inline}h4{font-size:14px;margin:14px 0 4px}
p{margin:4px 0}.sub,.dim{color:var(--soft)}.dim{font-size:13px}
.verdict{font-size:17px;border:1px solid;border-left-width:8px;border-radius:6px;padding:10px 14px;margin:12px 0}
.t{border-color:var(--t)}.f{border-color:var(--f);border-left-style:double}.u{border-color:var(--u);border-left-style:dotted}.n{border-color:var(--n);border-left-style:dashed}
.mark{display:inline-block;min-width:1.3em;font-weight:700;text-align:center}.mark.t{color:var(--t)}.mark.f{color:var(--f)}.mark.u{color:var(--u)}.mark.n{color:var(--n)}
details.rule{border:1px solid var(--rule);border-left-width:6px;border-radius:6px;margin:10px 0;padding:8px 12px}
summary{cursor:pointer}details.rule>summary{list-style-position:outside}
ul{margin:4px 0;padding-left:20px}ul.tree,ul.tree ul{list-style:none;padding-left:16px;border-left:1px solid var(--rule)}ul.tree{padding-left:0;border-left:0}
li{margin:3px 0}code{font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--back);border-radius:3px;padding:0 3px}
.key{font-weight:600}
table{border-collapse:collapse;width:100%;font-size:14px;margin:6px 0}th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--rule);vertical-align:top}th{font-weight:600}
@media(max-width:40rem){body{padding:12px}table,tbody,tr,td{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}td{border:0;padding:1px 0}td::before{content:attr(data-label) ': ';color:var(--soft)}tr{border-bottom:1px solid var(--rule);padding:5px 0}ul.tree ul{padding-left:8px}}
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--soft:#333;--rule:#999;--back:#fff;--t:#000;--f:#000;--u:#000;--n:#000}body{max-width:none;padding:0;font-size:11pt}details::details-content{content-visibility:visible;display:block;block-size:auto}h2,h4,summary{break-after:avoid}tr,.verdict,li{break-inside:avoid}}
";
