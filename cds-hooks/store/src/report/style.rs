//! How the page looks: on a screen by day and by night, and in print.

pub(super) const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5a6675;--line:#d5dbe3;--thin:#e4e8ee;--page:#fff;--accepted:#2f7d4f;
--overridden:#b8322a;--silent:#b6c0cc;--warn:#fff4d6;--warnline:#e6c766}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#a3aebb;--line:#3c4654;--thin:#2c3440;--page:#14181e;
--accepted:#56b07c;--overridden:#e0695f;--silent:#566270;--warn:#3b3216;--warnline:#8a7433}}
body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--page)}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
h3{font-size:1rem;margin:1.4rem 0 .3rem}
p.sub,.dim{color:var(--dim)}p.warn{background:var(--warn);border:1px solid var(--warnline);padding:.5rem .8rem}
table{border-collapse:collapse;width:100%;font-size:.86rem}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--thin);vertical-align:top;overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tr.mostly td{background:var(--warn)}
svg{max-width:100%;height:auto;display:block;margin:.4rem 0}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}
.accepted{fill:var(--accepted)}.overridden{fill:var(--overridden)}.silent{fill:var(--silent)}.axis{stroke:var(--dim)}
.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .8em;vertical-align:-.05em}
.key.accepted{background:var(--accepted)}.key.overridden{background:var(--overridden)}.key.silent{background:var(--silent)}
@media print{:root{color-scheme:light;--ink:#000;--dim:#444;--line:#bbb;--thin:#ddd;--page:#fff;--accepted:#2f7d4f;--overridden:#b8322a;--silent:#b6c0cc;--warn:#fff;--warnline:#888}
body{margin:0;padding:0;max-width:none;font-size:11px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
table{font-size:9px}th,td{padding:.15rem .3rem}h2,h3{break-after:avoid}svg,tr{break-inside:avoid}}
";
