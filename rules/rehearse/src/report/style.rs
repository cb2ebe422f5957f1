//! How the page looks, on a screen and in print.

pub(super) const STYLE: &str = "
:root{color-scheme:light}
body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .5rem;border-bottom:1px solid #d5dbe3;padding-bottom:.2rem}
h3{font-size:1rem;margin:1.4rem 0 .3rem}
p.sub,.dim{color:#5a6675}p.warn{background:#fff4d6;border:1px solid #e6c766;padding:.5rem .8rem}
table{border-collapse:collapse;width:100%;font-size:.86rem}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #e4e8ee;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto;display:block;margin:.4rem 0}svg text{font:12px system-ui,sans-serif;fill:#1c2430}
.bar{fill:#3b6ea8}.info{fill:#7fa3c7}.warning{fill:#d9972b}.critical{fill:#b8322a}.axis{stroke:#9aa5b1}
.why{background:#f5f7fa;padding:.6rem .8rem;font:.8rem/1.45 monospace;overflow-wrap:anywhere}.why div{text-indent:-4ch}
pre{white-space:pre-wrap;background:#f5f7fa;padding:.6rem .8rem;font-size:.8rem}
.card{border-left:4px solid #3b6ea8;padding:.2rem .8rem;margin:.4rem 0}.card.warning{border-color:#d9972b}.card.critical{border-color:#b8322a}
@media print{body{margin:0;padding:0;max-width:none;font-size:11px}table{font-size:9px}th,td{padding:.15rem .3rem}
.why,pre{font-size:8.5px}h2,h3{break-after:avoid}svg,tr,.card,.why div{break-inside:avoid}}
";
